package oneshot

// Standard is the catalogue of all components of this package, with DARTS for a
// default.
func Standard() *Catalogue {
	c := &Catalogue{}
	Add(&c.Relaxations, "softmax", "of the parameters (DARTS)", fixed(Softmax))
	Add(&c.Relaxations, "gumbel", "one candidate, drawn by them (GDAS)", newGumbel)
	Add(&c.Relaxations, "concrete", "of the parameters and Gumbel noise (SNAS)", newConcrete)
	Add(&c.Relaxations, "dirichlet", "drawn from a Dirichlet distribution (DrNAS)", newDirichlet)
	Add(&c.Relaxations, "sigmoid", "a weight for each candidate by itself (Fair DARTS)", newSigmoid)
	Add(&c.Relaxations, "uniform", "one architecture, drawn uniformly (RSPS, SPOS)", fixed(Uniform))
	Add(&c.Relaxations, "controller", "architectures drawn by an LSTM that learns by reinforcement (ENAS)", func(p controllerParams) (Relaxation, error) { return p.controller(), nil })

	none(&c.Perturbations, "nothing")
	Add(&c.Perturbations, "random", "by uniform numbers (SDARTS-RS)", newRandomPerturbation)
	Add(&c.Perturbations, "adversarial", "to where the loss is high (SDARTS-ADV)", newAdversarial)

	none(&c.Channels, "all")
	Add(&c.Channels, "channels", "1/k of them (PC-DARTS)", newPartialChannels)
	Add(&c.Channels, "progressive", "1/k and all operations, then 1/k_end and the strongest ones (DrNAS)", func(p progressiveParams) (Channels, error) {
		return Progressive{From: p.K, To: p.KEnd, Keep: p.Keep}, nil
	})

	Add(&c.Orders, "first", "by the weights as they are", fixed(FirstOrder))
	Add(&c.Orders, "second", "by the weights after the next step (DARTS)", func(p secondParams) (Order, error) { return SecondOrder(p.Radius), nil })
	Add(&c.Orders, "single", "on the batch and mixture of the weight step (SNAS)", fixed(OneLevel))

	Add(&c.Updates, "adam", "with coupled weight decay", newAdam)
	Add(&c.Updates, "eg", "by exponentiated gradients of probabilities (GAEA)", newExpGrad)

	none(&c.Guards, "nothing")
	offerGuards(&c.Guards)

	Add(&c.Selections, "argmax", "the strongest candidates and edges", fixed(Argmax))
	offerSelections(&c.Selections)
	return c
}

// fixed is a component without parameters.
func fixed[T any](start func() T) func(struct{}) (T, error) {
	return func(struct{}) (T, error) { return start(), nil }
}
