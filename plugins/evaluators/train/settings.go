package train

import (
	"fmt"

	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
)

// Settings are how every architecture is trained. The defaults are those of a short
// training: SGD with Nesterov momentum along a cosine, and no augmentation.
type Settings struct {
	Dataset string `default:"glyphs" choices:"glyphs,idx,cifar10,images" doc:"drawn letters and digits, idx files (MNIST and relatives), CIFAR-10's binary files, or a tree of JPEG and PNG files with a folder for each class"`
	Data    string `default:"" doc:"idx, cifar10 and images: the folder of the files"`
	Classes int    `default:"0" min:"0" doc:"number of classes; 0: as the data set has (glyphs: 10, at most 36)"`
	Size    int    `default:"0" min:"0" doc:"height and width of an image; 0: as the data set has (glyphs: 16)"`
	Color   bool   `default:"false" doc:"glyphs: three channels instead of one"`
	Train   int    `default:"0" min:"0" max:"1000000" doc:"training examples; 0: all (glyphs: 2000)"`
	Valid   int    `default:"0" min:"0" max:"1000000" doc:"validation examples; 0: all (glyphs: 1000)"`
	Test    int    `default:"0" min:"0" max:"1000000" doc:"test examples; 0: all (glyphs: 2000)"`

	Epochs    int `default:"3" min:"1" max:"100000" doc:"passes over the training examples"`
	BatchSize int `default:"32" min:"1" max:"65536" doc:"examples per step"`

	Optimizer   string  `default:"sgd" choices:"sgd,rmsprop,adam,adamw" doc:"how the weights move, as in PyTorch; adamw is adam with decoupled weight decay"`
	Lr          float64 `default:"0.1" min:"0" doc:"learning rate of the first step after the warm-up"`
	Momentum    float64 `default:"0.9" min:"0" max:"1" doc:"sgd and rmsprop: momentum"`
	Nesterov    bool    `default:"true" doc:"sgd: Nesterov's form of momentum"`
	Alpha       float64 `default:"0.99" min:"0" max:"1" doc:"rmsprop: what a step leaves of the mean square"`
	Beta1       float64 `default:"0.9" min:"0" max:"1" doc:"adam and adamw: what a step leaves of the mean gradient"`
	Beta2       float64 `default:"0.999" min:"0" max:"1" doc:"adam and adamw: what a step leaves of the mean square"`
	Epsilon     float64 `default:"1e-8" min:"0" doc:"rmsprop, adam and adamw: what is added to the root of the mean square"`
	WeightDecay float64 `default:"0.0005" min:"0" doc:"factor of the weights that is added to their gradients; adamw: that they shrink by, times the learning rate"`
	Clip        float64 `default:"5" min:"0" doc:"largest norm of all gradients together; 0: no limit"`

	Schedule string  `default:"cosine" choices:"constant,cosine,linear,step" doc:"how the learning rate falls: step by step along half a cosine or a line to lr_min, or by lr_factor every lr_epochs epochs"`
	LrMin    float64 `default:"0" min:"0" doc:"cosine and linear: learning rate at the end"`
	LrEpochs int     `default:"30" min:"1" doc:"step: epochs between two falls"`
	LrFactor float64 `default:"0.1" min:"0" max:"1" doc:"step: what a fall leaves"`
	Warmup   float64 `default:"0" min:"0" doc:"epochs, or a part of one, in which the learning rate rises to lr before the schedule begins"`

	Smoothing   float64 `default:"0" min:"0" max:"1" doc:"label smoothing: share of the target that is spread over all classes in training"`
	Flip        bool    `default:"false" doc:"mirror training images at random"`
	Shift       int     `default:"0" min:"0" doc:"move training images at random by up to so many pixels, as padding and cropping do"`
	Cutout      int     `default:"0" min:"0" doc:"side in pixels of a square that is blanked at a random place of a training image (Devries and Taylor 2017)"`
	Mixup       float64 `default:"0" min:"0" max:"100" doc:"mix training images and labels in pairs, in shares drawn from Beta(mixup, mixup) (Zhang et al. 2018); 0: not"`
	Auxiliary   float64 `default:"0" min:"0" doc:"weight of the loss of a second classifier, in training only, that reads the first map of the smallest resolution (DARTS: 0.4); 0: none"`
	Recalibrate int     `default:"0" min:"0" doc:"training batches that the running statistics of batch norms are made of anew before a measurement; 0: they are those of the training"`

	SupernetBatch    int     `default:"64" min:"1" max:"65536" doc:"supernet: examples per step, of the training and of the validation part"`
	SupernetLr       float64 `default:"0.025" min:"0" doc:"supernet: learning rate of the first step; it falls step by step along half a cosine"`
	SupernetLrMin    float64 `default:"0.001" min:"0" doc:"supernet: learning rate at the end"`
	SupernetMomentum float64 `default:"0.9" min:"0" max:"1" doc:"supernet: momentum of sgd"`
	SupernetNesterov bool    `default:"true" doc:"supernet: Nesterov's form of momentum (DARTS: not)"`
	SupernetDecay    float64 `default:"0.0005" min:"0" doc:"supernet: factor of the weights that is added to their gradients (DARTS: 0.0003)"`
	SupernetClip     float64 `default:"5" min:"0" doc:"supernet: largest norm of all gradients together; 0: no limit"`
	SupernetShared   bool    `default:"false" doc:"supernet: uses of a cell for equal shapes share their weights; decisions they share in any case"`
	SupernetAffine   bool    `default:"false" doc:"supernet: batch norms within cells have a scale and a shift; published supernets: not, since mixture weights scale already"`

	Memory     float64 `default:"0" min:"0" doc:"MiB that a training may take; one that needs more fails before it begins. 0: what the machine has left"`
	Checkpoint float64 `default:"60" min:"0" doc:"seconds between two checkpoints of a training, from which it goes on when the search is resumed; 0: none"`
}

// essence is the settings but for those that change no number.
func (s Settings) essence() Settings {
	s.Data, s.Checkpoint, s.Memory = "", 0, 0
	return s
}

// rule is the optimizer that the settings name.
func (s Settings) rule() optim.Rule {
	switch s.Optimizer {
	case "rmsprop":
		return optim.RMSProp{Alpha: s.Alpha, Epsilon: s.Epsilon, Momentum: s.Momentum, WeightDecay: s.WeightDecay}
	case "adam", "adamw":
		return optim.Adam{Beta1: s.Beta1, Beta2: s.Beta2, Epsilon: s.Epsilon, WeightDecay: s.WeightDecay, Decoupled: s.Optimizer == "adamw"}
	}
	return optim.SGD{Momentum: s.Momentum, Nesterov: s.Nesterov, WeightDecay: s.WeightDecay}
}

// supernetRule is how the weights of a supernet move.
func (s Settings) supernetRule() optim.SGD {
	return optim.SGD{Momentum: s.SupernetMomentum, Nesterov: s.SupernetNesterov, WeightDecay: s.SupernetDecay}
}

// schedule is the learning rate over so many epochs of so many steps.
func (s Settings) schedule(epochs, steps int) optim.Schedule {
	shape := map[string]optim.Shape{"constant": optim.Constant, "linear": optim.Linear, "step": optim.Stairs}
	r := optim.Schedule{Shape: optim.Cosine, Rate: s.Lr, Last: s.LrMin, Steps: epochs * steps,
		Warmup: int(s.Warmup*float64(steps) + 0.5), Every: s.LrEpochs * steps, Factor: s.LrFactor}
	if other, ok := shape[s.Schedule]; ok {
		r.Shape = other
	}
	return r
}

// check refuses settings that make no sense together or with the data.
func (s Settings) check(set *dataset.Set) error {
	if limit := min(set.H, set.W) - 1; s.Shift > limit {
		return &dataset.Problem{Option: "shift", Message: fmt.Sprintf("is %d, which moves images of %dx%d pixels out of sight", s.Shift, set.H, set.W)}
	}
	for _, share := range []struct {
		name  string
		value float64
	}{{"momentum", s.Momentum}, {"alpha", s.Alpha}, {"beta1", s.Beta1}, {"beta2", s.Beta2}, {"supernet_momentum", s.SupernetMomentum}} {
		if share.value == 1 {
			return &dataset.Problem{Option: share.name, Message: "is 1, with which the first step is never forgotten; it must be less"}
		}
	}
	if s.Epsilon == 0 && s.Optimizer != "sgd" && s.Optimizer != "" {
		return &dataset.Problem{Option: "epsilon", Message: "is 0, so that a weight without a gradient would be divided by zero"}
	}
	return nil
}
