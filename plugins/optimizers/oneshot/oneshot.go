// Package oneshot is the plugin nasc/oneshot: one-shot search by any product of the
// components of plugins/sdk/oneshot. Without settings it is DARTS.
package oneshot

import (
	"github.com/nasc-project/nasc/plugins/sdk"
	components "github.com/nasc-project/nasc/plugins/sdk/oneshot"
)

// Plugin is nasc/oneshot.
var Plugin = sdk.Plugin{
	Name:    "nasc/oneshot",
	Version: "0.1.0",
	Doc:     "One-shot search: a supernet whose mixture weights are learned, by any product of components; DARTS without settings.",
	Optimizers: []sdk.OptimizerSpec{components.Standard().Optimizer(sdk.OptimizerInfo{
		Name:   "shot",
		Doc:    "One-shot search; its slots are relax, perturb, partial, order, update, guard and select.",
		Shared: true,
	})},
}
