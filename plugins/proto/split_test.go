package proto_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// reachable lists the messages that the methods of a service take or return, with all
// that is in them.
func reachable(service protoreflect.ServiceDescriptor) map[protoreflect.FullName]protoreflect.MessageDescriptor {
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
		walk(service.Methods().Get(i).Input())
		walk(service.Methods().Get(i).Output())
	}
	return found
}

// TestNoTestMetricReachesAnOptimizer: no message of the service that optimizers serve
// contains, at any depth, the message of test metrics; nor one that only a test has;
// nor a map of names to numbers or an Any, in which one could hide. The evaluators'
// service, which tests, is where test metrics are.
func TestNoTestMetricReachesAnOptimizer(t *testing.T) {
	services := nascv1.File_nasc_v1_nasc_proto.Services()
	test := (&nascv1.TestMetrics{}).ProtoReflect().Descriptor().FullName()
	told := (&nascv1.ValidationMetrics{}).ProtoReflect().Descriptor().FullName()

	seen := reachable(services.ByName("Optimizer"))
	if seen[told] == nil {
		t.Errorf("an optimizer is not even told %s: the walk does not reach what it should", told)
	}
	onlyTests := map[protoreflect.FullName]bool{test: true}
	for _, m := range []interface {
		ProtoReflect() protoreflect.Message
	}{&nascv1.TestRequest{}, &nascv1.TestEvent{}} {
		onlyTests[m.ProtoReflect().Descriptor().FullName()] = true
	}
	for name, m := range seen {
		if onlyTests[name] || name == "google.protobuf.Any" || name == "google.protobuf.Struct" {
			t.Errorf("a message to or from an optimizer can contain %s", name)
		}
		for i := range m.Fields().Len() {
			if f := m.Fields().Get(i); f.IsMap() && f.MapValue().Kind() == protoreflect.DoubleKind {
				t.Errorf("%s.%s has numbers under any name", name, f.Name())
			}
		}
	}
	if reachable(services.ByName("Evaluator"))[test] == nil {
		t.Errorf("an evaluator cannot report %s", test)
	}
}
