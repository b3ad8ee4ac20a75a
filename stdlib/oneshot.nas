// Published one-shot methods, each as a combination of components: what to relax a
// space with, what perturbs it, which channels go through the mixture, how gradients
// are taken and followed, what guards the search and how the architecture is read off.
// `nasc plugin info oneshot` tells of each component and its settings.
import plugin "nasc/oneshot" as one

/// DARTS, first order: Liu, Simonyan and Yang, ICLR 2019.
let darts = one.shot()

/// DARTS, second order.
let darts2 = one.shot(order: one.second)

/// GDAS, a hard Gumbel-softmax: Dong and Yang, CVPR 2019.
let gdas = one.shot(relax: one.gumbel(tau_max: 10, tau_min: 0.1), weights_first: true)
