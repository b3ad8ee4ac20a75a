package oneshot

import (
	"context"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// FirstOrder is the gradient of the validation loss under the weights as they are
// (Liu, Simonyan and Yang, "DARTS", ICLR 2019, with xi = 0), on the next batch of the
// validation part.
func FirstOrder() Order { return firstOrder{} }

type firstOrder struct{}

func (firstOrder) Gradient(ctx context.Context, s *Search, m sdk.Mixture) (float64, sdk.Mixture, error) {
	return s.Net().ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.NextValid})
}

// SecondOrder is the gradient of the validation loss after the next weight step
// (equations 6 to 8 of the same paper). radius is that of the finite difference, over
// the norm of the gradient of the weights; 0.01 in the paper.
func SecondOrder(radius float64) Order { return secondOrder{radius} }

type secondOrder struct{ radius float64 }

func (o secondOrder) Gradient(ctx context.Context, s *Search, m sdk.Mixture) (float64, sdk.Mixture, error) {
	return s.Net().ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.NextValid, Unrolled: true, Radius: o.radius})
}

// OneLevel moves arch parameters and weights along the gradients of one loss, under one
// mixture and on one batch of the training part (Xie et al., "SNAS", ICLR 2019).
func OneLevel() Order { return oneLevel{} }

type oneLevel struct{}

func (oneLevel) SingleLevel() {}

func (oneLevel) Gradient(ctx context.Context, s *Search, m sdk.Mixture) (float64, sdk.Mixture, error) {
	return s.Net().ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.NextTrain})
}

type secondParams struct {
	Radius float64 `default:"0.01" min:"1e-6" doc:"of the finite difference of the second order, over the norm of the gradient of the weights"`
}
