package oneshot

import (
	"context"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// walk makes weight steps one after another. Where the supernet is [sdk.Ahead] it goes
// on without the loss of the last one, so that the supernet is at work on it while the
// mixture of the next call is made and is on its way.
type walk struct {
	net    sdk.SearchedSupernet
	losses mean
	wait   func() (float64, error) // for the loss of the last step; nil: there is none
}

// step begins a weight step, after the last one is done.
func (w *walk) step(ctx context.Context, m sdk.Mixture, o sdk.WeightStep) (err error) {
	if err := w.settle(); err != nil {
		return err
	}
	if ahead, ok := w.net.(sdk.Ahead); ok {
		w.wait, err = ahead.BeginWeightStep(ctx, m, o)
		return err
	}
	loss, err := w.net.WeightStep(ctx, m, o)
	w.losses.add(loss)
	return err
}

// settle waits until the last step is done.
func (w *walk) settle() error {
	if w.wait == nil {
		return nil
	}
	loss, err := w.wait()
	w.wait = nil
	w.losses.add(loss)
	return err
}
