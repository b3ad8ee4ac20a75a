// Package dataset gives the training evaluator its images: glyphs, drawn on the
// spot from fonts; idx, the files of MNIST and its relatives; cifar10, the
// binary version of CIFAR-10; images, a tree of JPEG and PNG files.
//
// A [Set] has three parts. Train is for weights, Valid for the number that an
// optimizer sees, Test for the final report only. The parts are disjoint and
// fixed: they depend on the files and on nothing else, and asking for fewer
// examples takes the first of a part. Only a validation part that is divided off the
// training files may be asked to be larger; then it takes from the training part. Facts says how they came about, with a hash
// of each, for the manifest of a run.
package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

// Split is one part of a data set.
type Split struct {
	Pixels []byte // (N,C,H,W), 0..255
	Labels []byte // (N), class numbers
}

// Len is the number of examples.
func (s Split) Len() int { return len(s.Labels) }

// Set is a data set in memory.
type Set struct {
	Name               string
	Channels, H, W     int
	Classes            int
	Train, Valid, Test Split
	Mean, Std          []float32 // of Train by channel, in units of pixel values
	Facts              map[string]string

	divided bool // Valid is a part of the training files
}

// Options choose and size a data set. A zero is the data set's own choice.
type Options struct {
	Name    string // glyphs, idx, cifar10 or images
	Path    string // idx, cifar10, images: a folder; idx: or the common beginning of the file names
	Classes int    // glyphs: 2..36; others: only their own
	Size    int    // glyphs: height and width in pixels
	Color   bool   // glyphs: three channels
	Train   int    // examples
	Valid   int
	Test    int
}

// A Problem is about one of the options.
type Problem struct {
	Option  string // "data", "classes" ...
	Message string
}

func (p *Problem) Error() string { return p.Option + " " + p.Message }

func refuse(option, format string, args ...any) error {
	return &Problem{option, fmt.Sprintf(format, args...)}
}

// Load reads or draws a data set. Errors are a *Problem.
func Load(o Options) (*Set, error) {
	var s *Set
	var err error
	switch o.Name {
	case "glyphs":
		s, err = glyphs(o)
	case "idx":
		s, err = idx(o)
	case "cifar10":
		s, err = cifar10(o)
	case "images":
		s, err = images(o)
	default:
		return nil, refuse("dataset", "is %q, not glyphs, idx, cifar10 or images", o.Name)
	}
	if err != nil {
		return nil, err
	}
	if o.Name != "glyphs" {
		if o.Classes != 0 && o.Classes != s.Classes {
			return nil, refuse("classes", "is %d, but the files have %d", o.Classes, s.Classes)
		}
		if o.Size != 0 && (o.Size != s.H || o.Size != s.W) {
			return nil, refuse("size", "is %d, but the images have %dx%d pixels", o.Size, s.H, s.W)
		}
	}
	if err := s.lend(o.Valid); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		want int
		of   *Split
	}{{"train", o.Train, &s.Train}, {"valid", o.Valid, &s.Valid}, {"test", o.Test, &s.Test}} {
		if part.want > part.of.Len() {
			return nil, refuse(part.name, "asks for %d examples, but there are %d", part.want, part.of.Len())
		}
		if part.want > 0 {
			*part.of = Split{part.of.Pixels[:part.want*s.size()], part.of.Labels[:part.want]}
		}
		if part.of.Len() == 0 {
			return nil, refuse("data", "leaves no examples for the %s part", part.name)
		}
		s.Facts["dataset."+part.name] = strconv.Itoa(part.of.Len())
		s.Facts["dataset."+part.name+".sha256"] = part.of.hash()
	}
	s.Facts["dataset"] = s.Name
	s.moments()
	return s, nil
}

// lend moves examples from the end of the training part to the validation part, if
// more of these are wanted than there are, and both come from the training files: a
// one-shot search divides them in two halves.
func (s *Set) lend(valid int) error {
	more := valid - s.Valid.Len()
	if !s.divided || more <= 0 {
		return nil
	}
	left := s.Train.Len() - more
	if left < 1 {
		return refuse("valid", "asks for %d examples, but there are %d, of which some must be left to train on", valid, s.Train.Len()+s.Valid.Len())
	}
	s.Valid.Pixels = append(s.Valid.Pixels, s.Train.Pixels[left*s.size():]...)
	s.Valid.Labels = append(s.Valid.Labels, s.Train.Labels[left:]...)
	s.Train = Split{s.Train.Pixels[:left*s.size()], s.Train.Labels[:left]}
	s.Facts["dataset.split"] += fmt.Sprintf(" (validation: %d more, that would else be trained on)", more)
	return nil
}

// size is the number of pixel values of an example.
func (s *Set) size() int { return s.Channels * s.H * s.W }

func (s Split) hash() string {
	h := sha256.New()
	h.Write(s.Pixels)
	h.Write(s.Labels)
	return hex.EncodeToString(h.Sum(nil))
}

// moments sets Mean and Std.
func (s *Set) moments() {
	area := s.H * s.W
	for c := range s.Channels {
		var histogram [256]float64
		for i := range s.Train.Len() {
			for _, v := range s.Train.Pixels[i*s.size()+c*area:][:area] {
				histogram[v]++
			}
		}
		n := float64(s.Train.Len() * area)
		var mean, variance float64
		for v, k := range histogram {
			mean += float64(v) * k / n
		}
		for v, k := range histogram {
			variance += (float64(v) - mean) * (float64(v) - mean) * k / n
		}
		s.Mean = append(s.Mean, float32(mean))
		s.Std = append(s.Std, float32(max(math.Sqrt(variance), 1)))
	}
}

// divide splits a pool into parts of the given sizes, which sum up to at most the
// pool's, after an order that depends on the size of the pool alone.
func divide(pool Split, size int, parts ...int) []Split {
	order := rand.New(rand.NewPCG(uint64(pool.Len()), 0x6e617363)).Perm(pool.Len())
	var out []Split
	for _, n := range parts {
		var s Split
		for _, i := range order[:n] {
			s.Pixels = append(s.Pixels, pool.Pixels[i*size:(i+1)*size]...)
			s.Labels = append(s.Labels, pool.Labels[i])
		}
		order = order[n:]
		out = append(out, s)
	}
	return out
}

// divideFiles makes the parts of a set that comes from files: a fifth of the
// training files is for validation; without test files another fifth is for the
// test.
func (s *Set) divideFiles(train Split, test *Split) {
	n, fifth := train.Len(), train.Len()/5
	s.divided = true
	if test != nil {
		parts := divide(train, s.size(), n-fifth, fifth)
		s.Train, s.Valid, s.Test = parts[0], parts[1], *test
		s.Facts["dataset.split"] = "validation: a fifth of the training files; test: the test files"
		return
	}
	parts := divide(train, s.size(), n-2*fifth, fifth, fifth)
	s.Train, s.Valid, s.Test = parts[0], parts[1], parts[2]
	s.Facts["dataset.split"] = "validation and test: a fifth each of the training files, there being no test files"
}
