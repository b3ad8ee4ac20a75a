package main

import (
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/sdk/sdktest"
)

// TestGradients: they are what differences of the results say.
func TestGradients(t *testing.T) {
	shape := []int{2, 4, 3, 5}
	sdktest.Gradients(t, plugin, "turn", sdk.Place{Inputs: [][]int{shape}, Output: shape}, map[string]any{"spread": 0.5})
}

// TestDescription: what the plugin says of itself makes sense.
func TestDescription(t *testing.T) {
	if _, err := plugin.Description(); err != nil {
		t.Fatal(err)
	}
}
