package wire

import (
	"fmt"
	"math"

	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// FromValue makes a message of an int64, float64, bool or string.
func FromValue(v any) (*pb.Value, error) {
	switch v := v.(type) {
	case int64:
		return &pb.Value{Kind: &pb.Value_Int{Int: v}}, nil
	case float64:
		return &pb.Value{Kind: &pb.Value_Real{Real: v}}, nil
	case bool:
		return &pb.Value{Kind: &pb.Value_Bool{Bool: v}}, nil
	case string:
		return &pb.Value{Kind: &pb.Value_String_{String_: v}}, nil
	}
	return nil, fmt.Errorf("a value is an int64, float64, bool or string, not a %T", v)
}

// ToValue is an int64, float64, bool or string.
func ToValue(v *pb.Value) (any, error) {
	switch v := v.GetKind().(type) {
	case *pb.Value_Int:
		return v.Int, nil
	case *pb.Value_Real:
		return v.Real, nil
	case *pb.Value_Bool:
		return v.Bool, nil
	case *pb.Value_String_:
		return v.String_, nil
	}
	return nil, fmt.Errorf("a value is empty or of an unknown kind")
}

// FromSettings makes messages of settings.
func FromSettings(s Settings) (map[string]*pb.Value, error) {
	out := make(map[string]*pb.Value, len(s))
	for name, v := range s {
		m, err := FromValue(v)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		out[name] = m
	}
	return out, nil
}

// ToSettings reads settings.
func ToSettings(m map[string]*pb.Value) (Settings, error) {
	out := make(Settings, len(m))
	for name, v := range m {
		s, err := ToValue(v)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		out[name] = s
	}
	return out, nil
}

// FromConfiguration makes a message of c.
func FromConfiguration(c Configuration) (*pb.Configuration, error) {
	settings, err := FromSettings(c.Settings)
	if err != nil {
		return nil, err
	}
	if c.Threads < 0 || c.Threads > math.MaxInt32 {
		return nil, fmt.Errorf("%d threads", c.Threads)
	}
	return &pb.Configuration{Component: c.Component, Parameters: settings, Seed: c.Seed, WorkDir: c.WorkDir, Threads: int32(c.Threads),
		Operations: fromAddresses(c.Operations)}, nil
}

// ToConfiguration reads a configuration.
func ToConfiguration(m *pb.Configuration) (Configuration, error) {
	settings, err := ToSettings(m.GetParameters())
	if err != nil {
		return Configuration{}, err
	}
	if m.GetThreads() < 0 {
		return Configuration{}, fmt.Errorf("%d threads", m.GetThreads())
	}
	return Configuration{Component: m.GetComponent(), Settings: settings, Seed: m.GetSeed(), WorkDir: m.GetWorkDir(), Threads: int(m.GetThreads()),
		Operations: toAddresses(m.GetOperations())}, nil
}

// FromProblems makes messages of problems.
func FromProblems(ps []*Problem) []*pb.Problem {
	out := make([]*pb.Problem, len(ps))
	for i, p := range ps {
		out[i] = FromProblem(p)
	}
	return out
}

// FromProblem makes a message of p.
func FromProblem(p *Problem) *pb.Problem {
	return &pb.Problem{Path: text(p.Path), Message: text(p.Message), Help: text(p.Help)}
}

// ToProblems reads problems.
func ToProblems(ms []*pb.Problem) []*Problem {
	out := make([]*Problem, len(ms))
	for i, m := range ms {
		out[i] = ToProblem(m)
	}
	return out
}

// ToProblem reads a problem; one without words gets some.
func ToProblem(m *pb.Problem) *Problem {
	p := &Problem{Path: m.GetPath(), Message: m.GetMessage(), Help: m.GetHelp()}
	if p.Message == "" {
		p.Message = "failed without saying why"
	}
	return p
}
