package proto_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// reachable lists the messages that the methods of a service take, or those that they
// return, with all that is in them.
func reachable(service protoreflect.ServiceDescriptor, side func(protoreflect.MethodDescriptor) protoreflect.MessageDescriptor) map[protoreflect.FullName]protoreflect.MessageDescriptor {
	found := map[protoreflect.FullName]protoreflect.MessageDescriptor{}
	var walk func(protoreflect.MessageDescriptor)
	walk = func(m protoreflect.MessageDescriptor) {
		if found[m.FullName()] != nil {
			return
		}
		found[m.FullName()] = m
		for i := range m.Fields().Len() {
			if to := m.Fields().Get(i).Message(); to != nil {
				walk(to)
			}
		}
	}
	for i := range service.Methods().Len() {
		walk(side(service.Methods().Get(i)))
	}
	return found
}

// numbersUnderNames are the fields with numbers under any name, in which a test metric
// could hide.
func numbersUnderNames(m protoreflect.MessageDescriptor) (fields []protoreflect.FullName) {
	for i := range m.Fields().Len() {
		if f := m.Fields().Get(i); f.IsMap() && f.MapValue().Kind() == protoreflect.DoubleKind {
			fields = append(fields, f.FullName())
		}
	}
	return fields
}

// TestNoTestMetricReachesAnOptimizer: no message of the services that optimizers serve
// contains, at any depth, the message of test metrics; nor one that only a test has;
// nor a map of names to numbers or an Any, in which one could hide. But what a one-shot
// optimizer has to tell of a stage are numbers under names of its own: they are never
// sent to one. The evaluators' service, which tests, is where test metrics are.
func TestNoTestMetricReachesAnOptimizer(t *testing.T) {
	test := (&nascv1.TestMetrics{}).ProtoReflect().Descriptor().FullName()
	onlyTests := map[protoreflect.FullName]bool{test: true}
	for _, m := range []interface {
		ProtoReflect() protoreflect.Message
	}{&nascv1.TestRequest{}, &nascv1.TestEvent{}} {
		onlyTests[m.ProtoReflect().Descriptor().FullName()] = true
	}
	for _, c := range []struct {
		service protoreflect.ServiceDescriptor
		told    protoreflect.ProtoMessage // how it learns of metrics
	}{
		{nascv1.File_nasc_v1_nasc_proto.Services().ByName("Optimizer"), &nascv1.ValidationMetrics{}},
		{nascv1.File_nasc_v1_oneshot_proto.Services().ByName("OneShot"), &nascv1.ScoreDone{}},
	} {
		sent := reachable(c.service, protoreflect.MethodDescriptor.Input)
		told := c.told.ProtoReflect().Descriptor().FullName()
		if sent[told] == nil {
			t.Errorf("%s is not even told %s: the walk does not reach what it should", c.service.Name(), told)
		}
		own := (&nascv1.Stage{}).ProtoReflect().Descriptor().Fields().ByName("values").FullName()
		answers := reachable(c.service, protoreflect.MethodDescriptor.Output)
		for _, side := range []map[protoreflect.FullName]protoreflect.MessageDescriptor{sent, answers} {
			for name, m := range side {
				for _, f := range numbersUnderNames(m) {
					if f != own || sent[name] != nil {
						t.Errorf("a message to or from %s has numbers under any name, %s", c.service.Name(), f)
					}
				}
				if onlyTests[name] || name == "google.protobuf.Any" || name == "google.protobuf.Struct" {
					t.Errorf("a message to or from %s can contain %s", c.service.Name(), name)
				}
			}
		}
		if c.service.Name() == "OneShot" && answers[own.Parent()] == nil {
			t.Errorf("the walk does not reach %s", own)
		}
	}
	evaluator := nascv1.File_nasc_v1_nasc_proto.Services().ByName("Evaluator")
	if reachable(evaluator, protoreflect.MethodDescriptor.Output)[test] == nil {
		t.Errorf("an evaluator cannot report %s", test)
	}
	// What an evaluator replies to a call is handed on to the optimizer.
	work := nascv1.File_nasc_v1_oneshot_proto.Services().ByName("Supernet")
	for name := range reachable(work, protoreflect.MethodDescriptor.Output) {
		if onlyTests[name] {
			t.Errorf("a supernet can answer with %s", name)
		}
	}
}
