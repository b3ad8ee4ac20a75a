package host

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nasc-project/nasc/compiler/lower"
	nascv1 "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// TestStageErrors: whatever goes wrong in the second stage is an error that names who is
// at fault, and a search can go on from the first.
func TestStageErrors(t *testing.T) {
	for name, c := range map[string]struct {
		shot, eval wire.Settings
		code       string
		parts      []string
	}{
		"panic":          {wire.Settings{"do": "panic"}, nil, Failed, []string{"the plugin's code panicked: in Stage", "test/oneshot 0.3.0"}},
		"error":          {wire.Settings{"do": "error"}, nil, Failed, []string{"no idea", "test/oneshot"}},
		"nan":            {wire.Settings{"do": "nan"}, nil, Failed, []string{"number 1 is NaN", "test/oneshot"}},
		"long":           {wire.Settings{"do": "long"}, nil, Failed, []string{"decision 0 of a mixture has 6 numbers, not 5", "test/oneshot"}},
		"rate":           {wire.Settings{"do": "rate"}, nil, Failed, []string{"rate or weight decay -1", "test/oneshot"}},
		"check":          {wire.Settings{"do": "check"}, nil, Failed, []string{"an architecture of 2 decisions", "test/oneshot"}},
		"outside":        {wire.Settings{"do": "outside"}, nil, BadAnswer, []string{"an architecture outside of the space", "test/oneshot"}},
		"short genotype": {wire.Settings{"do": "short genotype"}, nil, BadAnswer, []string{"an architecture outside of the space", "test/oneshot"}},
		"short mean":     {wire.Settings{"do": "short mean"}, nil, Failed, []string{"a mixture of 5 decisions, not 6", "test/oneshot"}},
		"nan value":      {wire.Settings{"do": "nan value"}, nil, BadAnswer, []string{`the value "tau" is NaN`, "test/oneshot"}},
		"odd value":      {wire.Settings{"do": "odd value"}, nil, BadAnswer, []string{`a value called "[31m"`, "test/oneshot"}},
		"nan metric":     {wire.Settings{"do": "nan metric"}, nil, BadAnswer, []string{"metrics: number 0 is NaN", "test/oneshot"}},
		"other metric":   {wire.Settings{"do": "other metric"}, nil, Failed, []string{`the metric "test_score" was never declared`, "test/oneshot"}},

		"evaluator panic":          {nil, wire.Settings{"do": "panic"}, Failed, []string{"in WeightStep", "test/trainer 0.4.0"}},
		"evaluator error":          {nil, wire.Settings{"do": "diverge"}, Failed, []string{"training diverged", "test/trainer"}},
		"evaluator nan":            {nil, wire.Settings{"do": "nan"}, Failed, []string{"the loss is NaN", "test/trainer"}},
		"evaluator short gradient": {nil, wire.Settings{"do": "short gradient"}, Failed, []string{"a mixture of 5 decisions, not 6", "test/trainer"}},
		"evaluator nan gradient":   {nil, wire.Settings{"do": "nan gradient"}, Failed, []string{"number 6 is +Inf", "test/trainer"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newToySearch(t, c.shot, c.eval)
			if err := s.begin(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.stage(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := s.stage(t.Context())
			fails(t, err, c.code, c.parts...)
			if HasDied(err) {
				t.Errorf("%v counts as a death", err)
			}
			if _, err := s.stage(t.Context()); err == nil || !strings.Contains(err.Error(), "has not begun") {
				t.Errorf("after an error a stage ends with %v", err)
			}
			if name != "panic" && name != "evaluator error" {
				return
			}
			if err := s.begin(); err != nil {
				t.Fatal(err)
			}
			_, err = s.stage(t.Context())
			fails(t, err, c.code, c.parts...)
		})
	}
}

// TestScoreErrors: wrong scores are the evaluator's.
func TestScoreErrors(t *testing.T) {
	for do, part := range map[string]string{"few metrics": "the metric loss is missing", "nan score": "the metric score is NaN"} {
		s := newToySearch(t, nil, wire.Settings{"do": do})
		if err := s.begin(); err != nil {
			t.Fatal(err)
		}
		_, err := s.stage(t.Context())
		fails(t, err, Failed, part, "test/trainer")
	}
}

// TestBeginErrors: what cannot begin says why.
func TestBeginErrors(t *testing.T) {
	s := newToySearch(t, wire.Settings{"do": "begin"}, nil)
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	_, err := s.stage(t.Context())
	if d := fails(t, err, BadParameter, "cannot begin", "test/oneshot"); d.Path != "parameters.do" {
		t.Errorf("path %q", d.Path)
	}
	if err := s.shot.Begin(t.Context(), Beginning{Supernet: s.relaxed, Epochs: 3, Size: s.net.Size(), State: []byte("cut")}); err != nil {
		t.Fatal(err)
	}
	if _, err = s.stage(t.Context()); err == nil {
		t.Error("a state that is cut is loaded")
	}

	s = newToySearch(t, nil, wire.Settings{"do": "open"})
	if d := fails(t, s.begin(), BadParameter, "no room", "test/trainer"); d.Help != "take less" {
		t.Errorf("help %q", d.Help)
	}

	h := newTestHost(t, Options{Commands: commands("test/oneshot", "test/trainer")})
	cfg := OptimizerConfig{Component: "toy", Space: s.space.Space, Objectives: maximize, Metrics: []string{"score"}}
	shot, trainer := start(t, h, "test/oneshot"), start(t, h, "test/trainer")
	_, err = shot.Optimizer(t.Context(), cfg)
	fails(t, err, UnknownComponent, "toy is one-shot")
	cfg.Component = "usual"
	_, err = shot.OneShot(t.Context(), cfg)
	fails(t, err, UnknownComponent, "usual is not one-shot")
	cfg.Component, cfg.Settings = "toy", wire.Settings{"do": "refuse"}
	_, err = shot.OneShot(t.Context(), cfg)
	fails(t, err, BadParameter, "do must not be refuse")
	for component, want := range map[string]struct{ code, text string }{
		"usual": {UnknownComponent, "trains no supernets"},
		"liar":  {Failed, "this evaluator trains no supernets"},
	} {
		e, err := trainer.Evaluator(t.Context(), EvaluatorConfig{Component: component})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Supernet(t.Context(), wire.OpenSupernet{Network: s.relaxed})
		fails(t, err, want.code, want.text)
	}
}

// TestStageCancelled: a stage that is given up ends at once, whichever side does not
// come to an end, and the search can go on from the last one.
func TestStageCancelled(t *testing.T) {
	for name, c := range map[string]struct{ shot, eval wire.Settings }{
		"optimizer waits": {wire.Settings{"do": "wait"}, nil},
		"optimizer hangs": {wire.Settings{"do": "hang"}, nil},
		"shared hangs":    {wire.Settings{"do": "hang", "shared": true}, nil},
		"evaluator waits": {nil, wire.Settings{"do": "wait"}},
		"evaluator hangs": {nil, wire.Settings{"do": "hang"}},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && strings.Contains(name, "hangs") {
				t.Skip("waits for a process that does not end by itself")
			}
			s := newToySearch(t, c.shot, c.eval)
			if err := s.begin(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.stage(t.Context()); err != nil {
				t.Fatal(err)
			}
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
			if _, err := s.stage(ctx); !errors.Is(err, why) {
				t.Fatalf("ends with %v", err)
			}
			if HasDied(why) {
				t.Error("counts as a death")
			}
			if name == "evaluator hangs" {
				return // it would again
			}
			if err := s.begin(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestPatience: of two plugins that wait for each other, the one that is silent is ended,
// and not the one that waits for it.
func TestPatience(t *testing.T) {
	for who, c := range map[string]struct{ shot, eval wire.Settings }{
		"test/oneshot 0.3.0": {wire.Settings{"do": "hang"}, nil},
		"test/trainer 0.4.0": {nil, wire.Settings{"do": "hang"}},
	} {
		s := patientToySearch(t, Patience{Answer: 2 * time.Second, Evaluation: 2 * time.Second}, c.shot, c.eval)
		if err := s.begin(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.stage(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := s.stage(t.Context())
		fails(t, err, Hung, "the plugin hangs", "it was ended since it said nothing for 2s while a call was under way", "source: "+who)
	}
}

// TestRefusedCall: an optimizer may go on after a call that could not be done.
func TestRefusedCall(t *testing.T) {
	s := newToySearch(t, wire.Settings{"do": "again"}, wire.Settings{"do": "diverge", "at": int64(4)})
	if err := s.run(); err != nil {
		t.Fatal(err, notes(err))
	}
	if !strings.HasPrefix(s.log[1], "wgwwwgsc") {
		t.Errorf("the calls are %s", s.log[1])
	}
}

// TestRelaxInAStage: the supernet is another from one call to the next, on both sides.
func TestRelaxInAStage(t *testing.T) {
	s := newToySearch(t, wire.Settings{"do": "relax"}, nil)
	if err := s.run(); err != nil {
		t.Fatal(err, notes(err))
	}
	if !strings.HasPrefix(s.log[1], "wgrwgsc") || s.relaxed.Relaxation() != (lower.Relaxation{Channels: 1}) {
		t.Errorf("relaxed %v, with %s", s.relaxed.Relaxation(), s.log[1])
	}
}

// TestSupernetAlone: a call that comes too late is refused in the plugin; a supernet that
// was closed leaves the evaluator as it is.
func TestSupernetAlone(t *testing.T) {
	s := newToySearch(t, wire.Settings{"do": "late"}, nil)
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.stage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(100 * time.Millisecond)
	if _, err := s.stage(t.Context()); err != nil {
		t.Error("a call between two stages disturbs the next one:", err)
	}
	s.net.Close()
	if err := s.net.Save(t.Context(), s.file); err == nil {
		t.Error("a closed supernet is saved")
	}
	again, err := s.eval.Supernet(t.Context(), wire.OpenSupernet{Network: s.relaxed})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Load(t.Context(), s.file); err != nil {
		t.Error(err)
	}
	fails(t, again.Load(t.Context(), s.file+"?"), Failed, "no such file")
	if err := again.Load(t.Context(), s.file); err != nil {
		t.Error("of no more use after a file that is not there:", err)
	}
	if _, err := again.Do(t.Context(), Call{m: &nascv1.Call{Call: &nascv1.Call_Check{}}}); err == nil {
		t.Error("a supernet checks architectures")
	}
}

// TestDeathBetweenStages: a process that is killed while nobody calls it is a death too.
func TestDeathBetweenStages(t *testing.T) {
	s := newToySearch(t, nil, nil)
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.stage(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, at := range []place{s.shot.search.at, s.net.at} {
		if err := at.proc.runner.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, err := s.stage(t.Context())
		if fails(t, err, Crashed, "the plugin died"); !HasDied(err) {
			t.Error("does not count as a death")
		}
		if err := s.begin(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.stage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// ---------------------------------------------------------------------- liars

// lying is a search with liars that are not written with the SDK.
func lying(t *testing.T, lie string) (*OneShot, *Supernet, error) {
	t.Helper()
	name := "bad/" + lie
	c := command(name)
	c.TLS = false
	h := newTestHost(t, Options{Commands: map[string]Command{name: c}})
	p := start(t, h, name)
	s := toySpace(t)
	relaxed, err := relax(s, lower.Relaxation{})
	if err != nil {
		t.Fatal(err)
	}
	shot, err := p.OneShot(t.Context(), OptimizerConfig{Space: s.Space, Objectives: maximize, Metrics: []string{"score"}})
	if err != nil {
		return nil, nil, err
	}
	eval, err := p.Evaluator(t.Context(), EvaluatorConfig{})
	if err != nil {
		t.Fatal(err)
	}
	net, err := eval.Supernet(t.Context(), wire.OpenSupernet{Network: relaxed, Epochs: 1})
	if err != nil {
		return nil, nil, err
	}
	return shot, net, shot.Begin(t.Context(), Beginning{Supernet: relaxed, Epochs: 1, Size: net.Size()})
}

// supernetLies are the lies about supernets, and what is said of them; one is the truth.
var supernetLies = map[string]string{
	"truth":           "",
	"shot_relaxation": "1/-3 of the channels",
	"shot_nan":        "number 7 is NaN",
	"shot_short":      "a mixture of 29 numbers, not 30",
	"shot_empty":      "neither a call nor a stage",
	"shot_nothing":    "a call of an unknown kind",
	"shot_batch":      "a gradient on batch 9",
	"shot_train":      "second order on a batch of the training part",
	"shot_radius":     "radius 0",
	"shot_score":      "a score of -1 batches",
	"shot_relax":      "1/-1 of the channels",
	"shot_check":      "numbers for 1000000 architectures of 6 decisions",
	"shot_outside":    "an architecture outside of the space",
	"shot_metrics":    "2 metrics, not 1",
	"shot_mean":       "a mixture of 1 numbers, not 30",
	"shot_ends":       "it ended the work before all was done",
	"super_size":      "a supernet with 0 steps",
	"super_stored":    "a reply to something else",
	"super_kind":      "a reply to something else",
	"super_gradient":  "a gradient of 29 numbers, not 30",
	"super_nan":       "a gradient is NaN",
	"super_scores":    "3 metrics of 2 mixtures, not 2",
	"super_ends":      "it ended the work before all was done",
	"super_loss":      "the loss is +Inf",
}

// TestOneShotLies: an optimizer or evaluator that is not written with the SDK may answer
// anything.
func TestOneShotLies(t *testing.T) {
	for lie, part := range supernetLies {
		if part == "" {
			continue
		}
		t.Run(lie, func(t *testing.T) {
			shot, net, err := lying(t, lie)
			if err == nil {
				_, _, err = shot.Stage(t.Context(), net.Do)
			}
			code := BadAnswer
			if lie == "super_nan" || lie == "super_loss" {
				code = Failed
			}
			fails(t, err, code, part, "bad/"+lie)
			if HasDied(err) {
				t.Error("counts as a death")
			}
		})
	}
	t.Run("truth", func(t *testing.T) {
		shot, net, err := lying(t, "truth")
		if err != nil {
			t.Fatal(err)
		}
		stage, state, err := shot.Stage(t.Context(), net.Do)
		if err != nil || !stage.Done || string(state) != "state" || stage.Metrics.Values["score"] != 1 {
			t.Errorf("%v, %q, %v", stage, state, err)
		}
		_, _, err = shot.Stage(t.Context(), func(context.Context, Call) (Reply, error) { return Checked([]bool{true}), nil })
		if err == nil || !strings.Contains(err.Error(), "has the answer") {
			t.Errorf("an answer of another kind is sent: %v", err)
		}
	})
}

// lyingOneShot is the liar as a one-shot optimizer of one stage: a weight step, a
// gradient and a score.
type lyingOneShot struct {
	nascv1.UnimplementedOneShotServer
	lie string
}

func (l lyingOneShot) Prepare(context.Context, *nascv1.OptimizerConfigureRequest) (*nascv1.OneShotPrepareResponse, error) {
	r := &nascv1.Relaxation{}
	if l.lie == "shot_relaxation" {
		r.Channels = -3
	}
	return &nascv1.OneShotPrepareResponse{Relaxation: r}, nil
}

func (l lyingOneShot) Search(stream nascv1.OneShot_SearchServer) error {
	x := func() *nascv1.Mixture { return &nascv1.Mixture{Values: make([]float64, 30)} }
	step := &nascv1.WeightStep{Mixture: x()}
	grad := &nascv1.ArchGradient{Mixture: x()}
	score := &nascv1.Score{Mixtures: []*nascv1.Mixture{x(), x()}}
	stage := &nascv1.Stage{Genotype: make([]int64, 6), Metrics: []float64{1}, Mixture: x(), State: []byte("state"), Done: true}
	calls := []*nascv1.Call{{Call: &nascv1.Call_WeightStep{WeightStep: step}}, {Call: &nascv1.Call_ArchGradient{ArchGradient: grad}},
		{Call: &nascv1.Call_Score{Score: score}}}
	switch l.lie {
	case "shot_nan":
		step.Mixture.Values[7] = math.NaN()
	case "shot_short":
		step.Mixture.Values = step.Mixture.Values[1:]
	case "shot_nothing":
		calls = []*nascv1.Call{{}}
	case "shot_batch":
		grad.Batch = 9
	case "shot_train":
		grad.Unrolled, grad.Batch, grad.Radius = true, nascv1.Batch_BATCH_NEXT_TRAIN, 0.01
	case "shot_radius":
		grad.Unrolled = true
	case "shot_score":
		score.Batches = -1
	case "shot_relax":
		calls = []*nascv1.Call{{Call: &nascv1.Call_Relax{Relax: &nascv1.Relaxation{Channels: -1}}}}
	case "shot_check":
		calls = []*nascv1.Call{{Call: &nascv1.Call_Check{Check: &nascv1.Check{Count: 1000000}}}}
	case "shot_outside":
		stage.Genotype[3] = -5
	case "shot_metrics":
		stage.Metrics = []float64{1, 2}
	case "shot_mean":
		stage.Mixture.Values = []float64{1}
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		switch l.lie {
		case "shot_ends":
			return nil
		case "shot_empty":
			stream.Send(&nascv1.OneShotResponse{})
		}
		for _, c := range calls {
			if err := stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Call{Call: c}}); err != nil {
				return err
			}
			if m, err := stream.Recv(); err != nil {
				return err
			} else if failed := m.GetReply().GetError(); failed != nil {
				return stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Error{Error: failed}})
			}
		}
		if err := stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Stage{Stage: stage}}); err != nil {
			return err
		}
	}
}

// lyingSupernet is the liar as an evaluator.
type lyingSupernet struct {
	nascv1.UnimplementedSupernetServer
	lie string
}

func (l lyingSupernet) Work(stream nascv1.Supernet_WorkServer) error {
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		resp := &nascv1.SupernetResponse{}
		loss, grad := 1.0, make([]float64, 30)
		scores := []float64{1, 2}
		switch l.lie {
		case "super_gradient":
			grad = grad[1:]
		case "super_nan":
			grad[3] = math.NaN()
		case "super_scores":
			scores = append(scores, 3)
		case "super_loss":
			loss = math.Inf(1)
		}
		switch m.GetCall().GetCall().(type) {
		case nil:
			opened := &nascv1.Opened{Steps: 1, Valid: 1}
			if l.lie == "super_size" {
				opened.Steps = 0
			}
			resp.Response = &nascv1.SupernetResponse_Opened{Opened: opened}
			if l.lie == "super_stored" {
				resp.Response = &nascv1.SupernetResponse_Stored{Stored: &nascv1.Stored{}}
			}
		case *nascv1.Call_WeightStep:
			r := &nascv1.Reply{Reply: &nascv1.Reply_WeightStep{WeightStep: &nascv1.WeightStepDone{Loss: loss}}}
			switch l.lie {
			case "super_kind":
				r = &nascv1.Reply{Reply: &nascv1.Reply_Score{Score: &nascv1.ScoreDone{}}}
			case "super_ends":
				return nil
			}
			resp.Response = &nascv1.SupernetResponse_Reply{Reply: r}
		case *nascv1.Call_ArchGradient:
			resp.Response = &nascv1.SupernetResponse_Reply{Reply: &nascv1.Reply{Reply: &nascv1.Reply_ArchGradient{
				ArchGradient: &nascv1.ArchGradientDone{Loss: loss, Gradient: &nascv1.Mixture{Values: grad}}}}}
		case *nascv1.Call_Score:
			resp.Response = &nascv1.SupernetResponse_Reply{Reply: &nascv1.Reply{Reply: &nascv1.Reply_Score{Score: &nascv1.ScoreDone{Values: scores}}}}
		}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
}
