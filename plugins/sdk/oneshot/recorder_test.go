package oneshot

import (
	"context"

	"github.com/nasc-project/nasc/plugins/sdk"
)

type ctx = context.Context

// recorder is a synthetic supernet that writes down what is asked of it.
type recorder struct {
	*synthetic
	order        string // "w" and "a"
	weight, arch []sdk.Mixture
	asked        []sdk.ArchGradient
	steps        []sdk.WeightStep
}

func (r *recorder) WeightStep(ctx ctx, m sdk.Mixture, o sdk.WeightStep) (float64, error) {
	r.order += "w"
	r.weight = append(r.weight, cloned(m))
	r.steps = append(r.steps, o)
	return r.synthetic.WeightStep(ctx, m, o)
}

func (r *recorder) ArchGradient(ctx ctx, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	r.order += "a"
	r.arch = append(r.arch, cloned(m))
	r.asked = append(r.asked, o)
	return r.synthetic.ArchGradient(ctx, m, o)
}
