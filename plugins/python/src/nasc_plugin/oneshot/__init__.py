"""One-shot architecture search made of small components.

A one-shot search trains one network, the supernet, that holds every architecture of a space,
each candidate operation and edge with a mixture weight, and learns which weights lower the
loss. DARTS (Liu, Simonyan and Yang, ICLR 2019) is the pattern: arch parameters become mixture
weights; a step of the network's weights on a batch of the training part and a step of the
arch parameters on one of the validation part take turns; in the end the strongest candidates
are the architecture. The pieces are classes here, and a method is a product of them:

    slot        what it does                                     DARTS
    Relaxation  arch parameters -> mixture, and gradients back    softmax
    Channels    how wide the mixed operations are                 all channels
    Order       the gradient of the mixture in an arch step       first
    Update      how a gradient moves the arch parameters          Adam
    Selection   mixture -> architecture                           argmax

A Catalogue offers components by name and makes an optimizer of a plugin of them, with a
parameter for each slot and those of all components. standard() is the one of this package;
you add yours:

    import nasc_plugin as nasc
    from nasc_plugin import oneshot

    class Sparsemax(oneshot.Relaxation):
        '''softmax with zeros'''
        name = "sparse"
        ...

    c = oneshot.standard()
    c.relaxations.add(Sparsemax)
    nasc.serve(nasc.Plugin("me/oneshot", "0.1.0", "…", [c.optimizer("shot", "One-shot search.")]))

What is random comes from Search.rand, whose counters are saved, so that a search that was
killed goes on with the same bits. Names, defaults, arithmetic and random numbers are those of
the Go package plugins/sdk/oneshot, which has more components.
"""

from .adam import Adam
from .argmax import Argmax
from .catalogue import Catalogue, Slot, Steps, standard
from .channels import Channels, PartialChannels
from .choice import genotype, one_hot
from .decision import Decision, Kinds, kind
from .derive import strongest
from .driver import Shot
from .gumbel import Concrete, Gumbel
from .order import FirstOrder, OneLevel, Order, SecondOrder
from .parts import Back, Choice, Moment, Params, Part, Relaxation, Selection, Update
from .search import Search
from .softmax import Softmax, small, softmax, softmax_back

__all__ = ["Adam", "Argmax", "Back", "Catalogue", "Channels", "Choice", "Concrete", "Decision", "FirstOrder", "Gumbel", "Kinds", "Moment",
           "OneLevel", "Order", "Params", "Part", "PartialChannels", "Relaxation", "Search", "SecondOrder", "Selection", "Shot", "Slot",
           "Softmax", "Steps", "Update", "genotype", "kind", "one_hot", "small", "softmax", "softmax_back", "standard", "strongest"]
