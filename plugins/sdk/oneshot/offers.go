package oneshot

// The parameters of selections, guards, the controller and progressive channels, as
// [Standard] offers them. Their defaults are those of the papers.

type thresholdParams struct {
	Threshold float64 `default:"0.85" min:"0" doc:"mixture weight above which an operation is kept"`
}

type projectionParams struct {
	Tune          int `default:"5" min:"0" doc:"epochs of weight steps after each decision of the selection; all together at most half of the search"`
	SelectBatches int `default:"0" min:"0" doc:"batches of the validation part by which the selection measures; 0: all"`
}

type bestParams struct {
	BestOf      int `default:"100" min:"1" max:"1000000" doc:"architectures of which the best is taken"`
	BestBatches int `default:"1" min:"0" doc:"batches of the validation part that each of them is measured on; 0: all"`
}

type evolutionParams struct {
	Generations   int     `default:"20" min:"1" max:"1000000" doc:"of the evolution after the last epoch"`
	Population    int     `default:"50" min:"1" max:"1000000" doc:"architectures of a generation"`
	Parents       int     `default:"10" min:"1" max:"1000000" doc:"best architectures so far, of which the next are made"`
	Mutations     int     `default:"25" min:"0" max:"1000000" doc:"mutated parents in a generation"`
	Crossovers    int     `default:"25" min:"0" max:"1000000" doc:"crossed parents in a generation"`
	MutationRate  float64 `default:"0.1" min:"0" max:"1" doc:"probability that a mutation draws a decision anew"`
	Recalibrate   int     `default:"200" min:"0" doc:"batches of the training part for the statistics of batch norm of each architecture, at most an epoch of them; 0: those of each batch"`
	SelectBatches int     `default:"0" min:"0" doc:"batches of the validation part by which the selection measures; 0: all"`
}

type earlyParams struct {
	EigenProducts int     `default:"10" min:"1" doc:"most products of the Hessian and a vector for its dominant eigenvalue, of two gradients each"`
	EigenRadius   float64 `default:"0.01" min:"1e-12" doc:"of the difference of gradients, in units of arch parameters"`
	EigenWindow   int     `default:"5" min:"1" doc:"epochs that the eigenvalue is averaged over"`
	EigenBack     int     `default:"4" min:"1" doc:"epochs over which its rise is judged, and which the search goes back"`
	EigenRise     float64 `default:"1.3" min:"1" doc:"factor of a rise that is an alarm"`
	EigenAfter    int     `default:"10" min:"0" doc:"epochs before there is an alarm"`
}

// early makes the guard that watches.
func (p earlyParams) early() Early {
	return Early{Sharpness: Sharpness{Products: p.EigenProducts, Radius: p.EigenRadius, Tolerance: 1e-3},
		Window: p.EigenWindow, Back: p.EigenBack, Rise: p.EigenRise, After: p.EigenAfter}
}

type adaptiveParams struct {
	earlyParams
	DecayBegin  float64 `default:"0.0003" min:"0" doc:"weight decay of the weights to begin with"`
	DecayFactor float64 `default:"3" min:"1" doc:"by which an alarm multiplies it"`
	DecayMost   float64 `default:"0.0243" min:"0" doc:"most that it becomes"`
}

func (p adaptiveParams) guard() *Adaptive {
	return &Adaptive{Early: p.early(), Begin: p.DecayBegin, Factor: p.DecayFactor, Most: p.DecayMost}
}

type l2Params struct {
	L2 float64 `default:"0.0027" min:"0" doc:"weight decay of the weights"`
}

type controllerParams struct {
	LSTMUnits       int     `name:"lstm_units" default:"32" min:"1" max:"4096" doc:"units of a layer of the controller"`
	LSTMLayers      int     `name:"lstm_layers" default:"2" min:"1" max:"16" doc:"layers of the controller"`
	Temperature     float64 `default:"5" min:"1e-6" doc:"by which the logits of the controller are divided"`
	Tanh            float64 `default:"2.5" min:"1e-6" doc:"bound of its logits"`
	ControllerLR    float64 `name:"controller_lr" default:"0.001" min:"0" doc:"learning rate of the controller"`
	EntropyWeight   float64 `default:"0.0001" min:"0" doc:"weight of its entropy in the reward"`
	BaselineDecay   float64 `default:"0.99" min:"0" max:"1" doc:"of the mean reward that rewards are compared with"`
	ControllerSteps int     `default:"50" min:"0" doc:"steps of the controller after each epoch"`
	Samples         int     `default:"20" min:"1" doc:"architectures that a step of the controller is made of"`
}

func (p controllerParams) controller() *Controller {
	return &Controller{Units: p.LSTMUnits, Layers: p.LSTMLayers, Temperature: p.Temperature, Tanh: p.Tanh, Rate: p.ControllerLR,
		Entropy: p.EntropyWeight, Decay: p.BaselineDecay, Steps: p.ControllerSteps, Samples: p.Samples, Clip: 5}
}

type progressiveParams struct {
	K    int `default:"4" min:"1" doc:"1/k of the channels go through mixed operations"`
	KEnd int `name:"k_end" default:"2" min:"1" doc:"that k in the second half of progressive channels"`
	Keep int `default:"3" min:"1" doc:"operations that are left of each choice in the second half of progressive channels"`
}

// offerGuards offers the guards but for none.
func offerGuards(s *Slot[Guard]) {
	Add(s, "eigenvalue", "ends the search when the Hessian's dominant eigenvalue rises (DARTS-ES)", func(p earlyParams) (Guard, error) { e := p.early(); return &e, nil })
	Add(s, "decay", "raises the weight decay when it rises (R-DARTS, DARTS-ADA)", func(p adaptiveParams) (Guard, error) { return p.guard(), nil })
	Add(s, "l2", "more weight decay from the beginning (R-DARTS, L2)", func(p l2Params) (Guard, error) { return L2{p.L2}, nil })
}

// offerSelections offers the selections but for argmax.
func offerSelections(s *Slot[Selection]) {
	Add(s, "threshold", "what weighs more than a threshold (FairDARTS)", func(p thresholdParams) (Selection, error) { return Threshold(p.Threshold), nil })
	Add(s, "perturbation", "what the supernet is worst without, decision by decision (DARTS-PT)",
		func(p projectionParams) (Selection, error) {
			return Projection{Tune: p.Tune, Batches: p.SelectBatches}, nil
		})
	Add(s, "best", "of drawn architectures the best by shared weights (RSPS, ENAS)",
		func(p bestParams) (Selection, error) { return BestOf{N: p.BestOf, Batches: p.BestBatches}, nil })
	Add(s, "evolution", "by shared weights with statistics of batch norm for each architecture (SPOS)",
		func(p evolutionParams) (Selection, error) {
			return &Evolution{Generations: p.Generations, Population: p.Population, Parents: p.Parents, Mutations: p.Mutations, Crossovers: p.Crossovers,
				Rate: p.MutationRate, Recalibrate: p.Recalibrate, Batches: p.SelectBatches}, nil
		})
}
