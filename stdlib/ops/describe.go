package ops

import "github.com/nasc-project/nasc/stdlib/ops/kernel"

// Descriptions say what a primitive computes, for plans that replace several
// primitives by one loop. Those of two primitives are equal if they compute the
// same of the same inputs. What has no description can only be run as it is.
type (
	// Convolution: map, filters -> map.
	Convolution struct{ Geometry kernel.Conv }
	// ConvolutionGradInput: filters, gradient of the result -> that of the map.
	ConvolutionGradInput struct{ Geometry kernel.Conv }
	// ConvolutionGradWeight: map, gradient of the result -> that of the filters.
	ConvolutionGradWeight struct{ Geometry kernel.Conv }

	// Statistics: map (B,C,H,W) -> mean and one over the deviation (2,C).
	Statistics struct{ *Normalization }
	// Normalized: map, statistics and perhaps scale and shift -> map.
	Normalized struct{}
	// NormalizedSums: map, statistics, gradient -> gradients of shift and scale (2,C).
	NormalizedSums struct{}
	// NormalizedGrad: map, statistics, sums, gradient and perhaps scale -> gradient of
	// the map.
	NormalizedGrad struct{}

	// Rectified: map -> map.
	Rectified struct{}
	// RectifiedGrad: rectified map, gradient -> gradient.
	RectifiedGrad struct{}

	// Total: maps -> their sum.
	Total struct{}

	// Weights: vectors -> the factor of each term of a mixture, a product of theirs.
	Weights struct{ Of *Factors }
	// Mixed: terms and then their factors -> map.
	Mixed struct{}
	// MixedGrad: gradient, factors -> that of a term.
	MixedGrad struct{ Term int }
	// MixedDots: terms, factors, gradient -> gradients of the factors. Those of terms
	// whose factor is zero are zero.
	MixedDots struct{}

	// MeanPool: map -> map.
	MeanPool struct{ Geometry kernel.Pool }
	// MeanPoolGrad: gradient -> gradient.
	MeanPoolGrad struct{ Geometry kernel.Pool }
	// MaximumPool: map -> map.
	MaximumPool struct{ Geometry kernel.Pool }
)
