// Package builtin lists the plugins that are part of nasc. The nasc binary
// serves each of them in a process of its own: `nasc plugin serve NAME`.
package builtin

import (
	"slices"

	"github.com/nasc-project/nasc/plugins/optimizers/evolution"
	"github.com/nasc-project/nasc/plugins/optimizers/local"
	"github.com/nasc-project/nasc/plugins/optimizers/random"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// plugins are the constructors by name; the plugin's full name is "nasc/NAME".
var plugins = map[string]func() sdk.Plugin{
	"evolution": evolution.Plugin,
	"local":     local.Plugin,
	"random":    random.Plugin,
}

// Names are the names of all built-in plugins, sorted.
func Names() []string {
	var out []string
	for name := range plugins {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Plugin makes the built-in plugin of a name.
func Plugin(name string) (sdk.Plugin, bool) {
	make, ok := plugins[name]
	if !ok {
		return sdk.Plugin{}, false
	}
	return make(), true
}
