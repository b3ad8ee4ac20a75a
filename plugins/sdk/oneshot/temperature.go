package oneshot

// Temperature falls linearly from Max to Min over the epochs after Delay.
type Temperature struct {
	Max, Min float64
	Delay    float64 // a [Span]
	// Open: Min is what would come after the last epoch (SNAS), not in it (GDAS).
	Open bool
}

// At is the temperature of an epoch: Max - (Max - Min) * max(epoch - Delay, 0) over
// epochs - 1 or, if open, epochs; after the last one it falls no more. With a delay it
// never gets to Min, as in GAEA-GDAS.
func (t Temperature) At(at Moment) float64 {
	last := at.Epochs - 1
	if t.Open {
		last = at.Epochs
	}
	if last < 1 {
		return t.Max
	}
	over := min(1, float64(max(at.Epoch-Span(t.Delay, at.Epochs), 0))/float64(last))
	return (1-over)*t.Max + over*t.Min
}

// temperatureParams are the parameters of relaxations with a temperature.
type temperatureParams struct {
	TauMax   float64 `default:"0" min:"0" doc:"temperature of gumbel and concrete in the first epoch; 0: as published, 10 and 1"`
	TauMin   float64 `default:"0" min:"0" doc:"temperature in the end; 0: as published, 0.1 and 0.03"`
	TauDelay float64 `default:"0" min:"0" doc:"epochs before the temperature starts to fall; below 1: a share of them all"`
}

// or are the parameters with these in place of zeros.
func (p temperatureParams) or(top, bottom float64) Temperature {
	t := Temperature{Max: p.TauMax, Min: p.TauMin, Delay: p.TauDelay}
	if t.Max == 0 {
		t.Max = top
	}
	if t.Min == 0 {
		t.Min = min(bottom, t.Max)
	}
	return t
}
