// Package builtin lists the plugins that are part of nasc. The nasc binary
// serves each of them in a process of its own: `nasc plugin serve NAME`.
package builtin

import (
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table"
	"github.com/nasc-project/nasc/plugins/evaluators/train"
	"github.com/nasc-project/nasc/plugins/optimizers/evolution"
	"github.com/nasc-project/nasc/plugins/optimizers/exhaustive"
	"github.com/nasc-project/nasc/plugins/optimizers/local"
	"github.com/nasc-project/nasc/plugins/optimizers/oneshot"
	"github.com/nasc-project/nasc/plugins/optimizers/random"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// plugins in order of name. A new one needs nothing but its line here.
var plugins = []sdk.Plugin{
	evolution.Plugin,
	exhaustive.Plugin,
	local.Plugin,
	oneshot.Plugin,
	random.Plugin,
	table.Plugin,
	train.Plugin,
}

// owner starts the names of all built-in plugins.
const owner = "nasc/"

// Names are the names of all built-in plugins without their owner, sorted.
func Names() []string {
	out := make([]string, len(plugins))
	for i, p := range plugins {
		out[i] = strings.TrimPrefix(p.Name, owner)
	}
	return out
}

// Plugin is the built-in plugin of a name without owner.
func Plugin(name string) (sdk.Plugin, bool) {
	for _, p := range plugins {
		if p.Name == owner+name {
			return p, true
		}
	}
	return sdk.Plugin{}, false
}
