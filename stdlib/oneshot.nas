// Published one-shot methods, each as a combination of components: what to relax a
// space with, what perturbs it, which channels go through the mixture, how gradients
// are taken and followed, what guards the search and how the architecture is read off.
// What a method does not mention is as in DARTS. `nasc plugin info nasc/oneshot` tells
// of each component and its settings; docs/one-shot.md has a table of them all.
//
// The settings are those of the papers, as far as they are the optimizer's: epochs are
// the budget of the search, and batch size, learning rate and weight decay of the
// weights belong to the evaluator. Epochs of warm-up are a share of the budget here.
import plugin "nasc/oneshot" as one

/// DARTS, first order: arch parameters and weights take steps in turns, the arch
/// parameters on the validation part; mixtures are softmaxes; the strongest operations
/// and edges are the architecture.
///
/// Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019.
let darts = one.shot()

/// DARTS, second order: arch steps go along the gradient of the loss after the next
/// weight step, the implicit part of it by a finite difference.
///
/// Equations 6 to 8 of the same paper.
let darts2 = one.shot(order: one.second)

/// GDAS: a step runs one architecture, drawn with Gumbel noise, and gradients go to all
/// candidates by the straight-through estimator; the temperature falls from 10 to 0.1.
/// The published code for NAS-Bench-201 makes the weight step first.
///
/// Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR
/// 2019.
let gdas = one.shot(relax: one.gumbel(tau_max: 10, tau_min: 0.1), weights_first: true)

/// SNAS: soft Gumbel noise whose temperature falls from 1 to 0.03, and one level: arch
/// parameters and weights move along the gradients of one training loss, on one batch.
///
/// Xie, Zheng, Liu and Lin, "SNAS: Stochastic Neural Architecture Search", ICLR 2019.
let snas = one.shot(relax: one.concrete(tau_max: 1, tau_min: 0.03), order: one.single)

/// PC-DARTS: a quarter of the channels goes through the mixed operations and the rest
/// past them; edges have weights of their own, and an edge counts as alpha times beta.
/// No arch steps in the first 15 of 50 epochs.
///
/// Xu, Xie, Zhang, Chen, Qi, Tian and Xiong, "PC-DARTS: Partial Channel Connections for
/// Memory-Efficient Architecture Search", ICLR 2020.
let pc_darts = one.shot(partial: one.channels(k: 4), edge_norm: true, warmup: 0.3, arch_lr: 6e-4)

/// DrNAS: mixtures are drawn from Dirichlet distributions that weight decay holds flat;
/// after half of the epochs, half of the channels in place of a quarter and the three
/// strongest operations of each choice.
///
/// Chen, Wang, Cheng, Tang and Hsieh, "DrNAS: Dirichlet Neural Architecture Search", ICLR
/// 2021. Without the progression: `partial: one.none`.
let drnas = one.shot(relax: one.dirichlet, partial: one.progressive(k: 4, k_end: 2, keep: 3))

/// SDARTS-RS: weight steps under mixtures that uniform noise has moved by up to 0.03 in
/// the first epoch and 0.3 in the end, so that the weights suit a neighbourhood.
///
/// Chen and Hsieh, "Stabilizing Differentiable Architecture Search via Perturbation-based
/// Regularization", ICML 2020.
let sdarts_rs = one.shot(perturb: one.random)

/// SDARTS-ADV: the same, moved to where the training loss is highest, by seven steps of
/// projected gradient ascent.
let sdarts_adv = one.shot(perturb: one.adversarial)

/// GAEA on DARTS: mixtures are probabilities that move by exponentiated gradients, which
/// fits the geometry of the simplex, in place of a softmax and Adam.
///
/// Li, Khodak, Balcan and Talwalkar, "Geometry-Aware Gradient Algorithms for Neural
/// Architecture Search", ICLR 2021.
let gaea_darts = one.shot(update: one.eg, arch_lr: 0.1)

/// GAEA on GDAS: exponentiated gradients for the probabilities of what is drawn, with
/// an entropy term; arch steps and the fall of the temperature begin after a fifth of
/// the epochs.
let gaea_gdas = one.shot(
    relax:         one.gumbel(tau_max: 10, tau_min: 0.1, tau_delay: 0.2),
    update:        one.eg(eg_clamp: "after", eg_entropy: 0.01),
    arch_lr:       0.01,
    warmup:        0.2,
    weights_first: true,
)

/// DARTS-PT: DARTS, but an operation counts as much as the supernet loses without it;
/// edge by edge, with some epochs of weight steps in between.
///
/// Wang, Cheng, Chen, Tang and Hsieh, "Rethinking Architecture Selection in
/// Differentiable NAS", ICLR 2021.
let darts_pt = one.shot(select: one.perturbation(tune: 5))

/// DARTS-PT of a supernet whose arch parameters never move ("fixed alpha" in the paper).
let darts_pt_fixed = one.shot(select: one.perturbation(tune: 5), warmup: 1_000_000)

/// Fair DARTS: every operation has a weight between 0 and 1 by itself, pushed to either
/// end, so that skips win no competition; what weighs more than 0.85 is kept.
///
/// Chu, Zhou, Zhang and Li, "Fair DARTS: Eliminating Unfair Advantages in Differentiable
/// Architecture Search", ECCV 2020.
let fair_darts = one.shot(
    relax:   one.sigmoid(zero_one: 10),
    select:  one.threshold(threshold: 0.85),
    arch_lr: 3e-3,
)

/// DARTS-ES: DARTS that ends when the dominant eigenvalue of the Hessian of the
/// validation loss in the arch parameters rises, with the parameters from before.
///
/// Zela, Elsken, Saikia, Marrakchi, Brox and Hutter, "Understanding and Robustifying
/// Differentiable Architecture Search", ICLR 2020.
let darts_es = one.shot(guard: one.eigenvalue)

/// R-DARTS, with the adaptive weight decay of the same paper (DARTS-ADA): three times as
/// much whenever the eigenvalue rises. The search does not go back to before the rise.
let r_darts = one.shot(guard: one.decay)

/// RSPS, random search with weight sharing: each step runs an architecture drawn
/// uniformly; of a hundred, the best by shared weights.
///
/// Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search",
/// UAI 2019.
let rsps = one.shot(relax: one.uniform, select: one.best(best_of: 100))

/// SPOS, single path one-shot: training as in RSPS; then evolution by shared weights,
/// with statistics of batch norm for each architecture and all requirements of the
/// search that need no training, as `require macs <= 330M`.
///
/// Guo, Zhang, Mu, Heng, Liu, Wei and Sun, "Single Path One-Shot Neural Architecture
/// Search with Uniform Sampling", ECCV 2020.
let spos = one.shot(relax: one.uniform, select: one.evolution)

/// ENAS: each step runs an architecture drawn by an LSTM, which learns by reinforcement
/// from the accuracy of what it draws; of a hundred of its draws, the best.
///
/// Pham, Guan, Zoph, Le and Dean, "Efficient Neural Architecture Search via Parameter
/// Sharing", ICML 2018.
let enas = one.shot(relax: one.controller, select: one.best(best_of: 100))
