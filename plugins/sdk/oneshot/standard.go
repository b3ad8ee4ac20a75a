package oneshot

// Standard is the catalogue of all components of this package, with DARTS for a
// default.
func Standard() *Catalogue {
	c := &Catalogue{}
	Add(&c.Relaxations, "softmax", "of the parameters (DARTS)", func(struct{}) (Relaxation, error) { return Softmax(), nil })

	Add(&c.Relaxations, "controller", "architectures drawn by an LSTM that learns by reinforcement (ENAS)", func(p controllerParams) (Relaxation, error) { return p.controller(), nil })

	none(&c.Perturbations, "nothing")

	none(&c.Channels, "all")
	Add(&c.Channels, "progressive", "1/k and all operations, then 1/k_end and the strongest ones (DrNAS)", func(p progressiveParams) (Channels, error) {
		return Progressive{From: p.K, To: p.KEnd, Keep: p.Keep}, nil
	})

	Add(&c.Orders, "first", "by the weights as they are", func(struct{}) (Order, error) { return FirstOrder(), nil })
	Add(&c.Orders, "second", "by the weights after the next step (DARTS)", func(p secondParams) (Order, error) { return SecondOrder(p.Radius), nil })
	Add(&c.Orders, "single", "on the batch and mixture of the weight step (SNAS)", func(struct{}) (Order, error) { return OneLevel(), nil })

	Add(&c.Updates, "adam", "with coupled weight decay", newAdam)

	none(&c.Guards, "nothing")
	offerGuards(&c.Guards)

	Add(&c.Selections, "argmax", "the strongest candidates and edges", func(struct{}) (Selection, error) { return Argmax(), nil })
	offerSelections(&c.Selections)
	return c
}
