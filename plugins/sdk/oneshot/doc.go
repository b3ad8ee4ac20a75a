// Package oneshot makes one-shot architecture search of small components.
//
// A one-shot search trains one network, the supernet, that holds every architecture of
// a space, each candidate operation and edge with a mixture weight, and learns which
// weights lower the loss. DARTS (Liu, Simonyan and Yang, ICLR 2019) is the pattern: arch
// parameters become mixture weights; a step of the network's weights on a batch of the
// training part and a step of the arch parameters on one of the validation part take
// turns; in the end the strongest candidates are the architecture. What came after it
// changed a piece or two. The pieces are interfaces here, and a method is a product:
//
//	slot          what it does                                       DARTS
//	Relaxation    arch parameters -> mixture, and gradients back      softmax
//	Perturbation  of the mixture under which the weights move         none
//	Channels      how wide the mixed operations are                   all channels
//	Order         the gradient of the mixture in an arch step         first
//	Update        how a gradient moves the arch parameters            Adam
//	Guard         looks at the search after each epoch                none
//	Selection     mixture -> architecture                             argmax
//
// [New] makes an [sdk.OneShot] of [Parts]: a driver that does one epoch per stage and
// saves everything on which the next one depends. Components see the search that they
// are part of as a [Search]. All randomness comes from [Search.Rand], whose counters are
// saved, so a search that was killed goes on with the same bits.
//
// A [Catalogue] offers components by name and makes an optimizer of a plugin of them,
// with a parameter for each slot and those of all components. [Standard] is the one of
// the plugin nasc/oneshot. A third party adds a component of its own and serves that:
//
//	c := oneshot.Standard()
//	oneshot.Add(&c.Relaxations, "sparse", "sparsemax in place of softmax", newSparse)
//	sdk.Serve(sdk.Plugin{Name: "me/oneshot", Version: "0.1.0", Optimizers: []sdk.OptimizerSpec{c.Optimizer(sdk.OptimizerInfo{Name: "shot"})}})
//
// A decision that is relaxed is of one of three kinds, see [Kinds]; a component says
// which it can handle.
package oneshot
