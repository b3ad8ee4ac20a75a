package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
)

// counting is a data set of 3x3 images of two channels whose pixels count up: pixel
// p of channel c of example i is 20*i + 10*c + p + 1.
func counting(n int) *dataset.Set {
	s := &dataset.Set{Channels: 2, H: 3, W: 3, Classes: 3, Mean: []float32{0, 0}, Std: []float32{1, 1}}
	for i := range n {
		for c := range 2 {
			for p := range 9 {
				s.Train.Pixels = append(s.Train.Pixels, byte(20*i+10*c+p+1))
			}
		}
		s.Train.Labels = append(s.Train.Labels, byte(i%3))
	}
	return s
}

func TestViews(t *testing.T) {
	s := newSource(counting(2))
	for _, c := range []struct {
		v    view
		want string // the first channel, row by row
	}{
		{view{}, "123456789"},
		{view{dx: 1}, "012045078"},
		{view{dy: 1}, "000123456"},
		{view{dy: -1, dx: -1}, "560890000"},
		{view{dy: 1, dx: -1}, "000230560"},
		{view{dx: -2}, "300600900"},
		{view{mirror: true}, "321654987"},
		{view{mirror: true, dx: 1}, "032065098"},
		{view{hole: rectangle{-1, 1, 2, 3}}, "100400789"},
		{view{dx: 1, hole: rectangle{2, 0, 5, 2}}, "012045008"},
	} {
		images := make([]float32, 2*18)
		s.image(images, 1, s.set.Train, 0, c.v)
		var got strings.Builder
		for p := range 9 {
			pixel := images[18+2*p:][:2]
			fmt.Fprint(&got, pixel[0])
			if pixel[0] != 0 && pixel[1] != pixel[0]+10 {
				t.Errorf("%+v: the channels of pixel %d are %v", c.v, p, pixel)
			}
		}
		if got.String() != c.want {
			t.Errorf("%+v: %s, want %s", c.v, got.String(), c.want)
		}
	}
	s.set.Mean, s.set.Std = []float32{5, 11}, []float32{2, 4}
	images := make([]float32, 18)
	newSource(s.set).image(images, 0, s.set.Train, 1, view{})
	if images[0] != (21-5)/2.0 || images[1] != (31-11)/4.0 {
		t.Errorf("the first pixel is %v, want [8 5]", images[:2])
	}
}

// TestDrawnViews: the views of a training are as often as they should be, and holes
// are as large.
func TestDrawnViews(t *testing.T) {
	s := Settings{Flip: true, Shift: 2, Cutout: 4}
	r := rand.New(rand.NewPCG(1, 2))
	const n = 20000
	mirrored, moved := 0, map[[2]int]int{}
	var blank float64
	for range n {
		v := s.draw(r, 8, 8)
		if v.mirror {
			mirrored++
		}
		moved[[2]int{v.dy, v.dx}]++
		blank += float64(max(min(v.hole.bottom, 8)-max(v.hole.top, 0), 0) * max(min(v.hole.right, 8)-max(v.hole.left, 0), 0))
	}
	if math.Abs(float64(mirrored)/n-0.5) > 0.02 || len(moved) != 25 {
		t.Errorf("%d of %d mirrored, %d ways to move", mirrored, n, len(moved))
	}
	for by, k := range moved {
		if math.Abs(float64(k)/n-0.04) > 0.008 {
			t.Errorf("moved by %v %d times of %d", by, k, n)
		}
	}
	// A side of 4 with its middle at 0..7 covers 2 3 4 4 4 4 4 3 pixels of 8.
	if mean, want := blank/n, 3.5*3.5; math.Abs(mean-want) > 0.1 {
		t.Errorf("holes have %v pixels, want %v", mean, want)
	}
}

// TestBeta compares mean and variance with 1/2 and 1/(4(2a+1)).
func TestBeta(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, a := range []float64{1e-4, 0.2, 1, 4} {
		const n = 50000
		var sum, squares float64
		for range n {
			x := beta(r, a)
			if !(x >= 0 && x <= 1) {
				t.Fatalf("Beta(%v,%v) gave %v", a, a, x)
			}
			sum += x
			squares += (x - 0.5) * (x - 0.5)
		}
		if want := 1 / (4 * (2*a + 1)); math.Abs(sum/n-0.5) > 0.01 || math.Abs(squares/n-want) > 0.01 {
			t.Errorf("Beta(%v,%v) has mean %v and variance %v, want 0.5 and %v", a, a, sum/n, squares/n, want)
		}
	}
}

// TestFeed: batches come in order, each once, and with the bits that they have when
// they are made one by one, from whatever step the feed starts.
func TestFeed(t *testing.T) {
	set := counting(11)
	settings := Settings{Flip: true, Shift: 1, Cutout: 1, Mixup: 0.4, Smoothing: 0.1}
	s := newSource(set)
	const size, steps = 2, 17 // three epochs of five and a bit
	images, targets := size*18, size*3
	want := make([]batch, steps)
	for i := steps - 1; i >= 0; i-- { // in another order
		want[i] = batch{make([]float32, images), make([]float32, targets)}
		newLessons(s, settings, 7, size).fill(&want[i], i)
	}
	for _, from := range []int{0, 1, 6, 16} {
		f := newFeed(from, steps, images, targets, newLessons(s, settings, 7, size).fill)
		for i := from; i < steps; i++ {
			got := batch{make([]float32, images), make([]float32, targets)}
			if err := f.next(context.Background(), got.images, got.targets); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want[i]) {
				t.Fatalf("batch %d of a feed from %d is not what it is alone", i, from)
			}
		}
		f.stop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := newFeed(0, 0, images, targets, nil)
	defer f.stop()
	if err := f.next(ctx, nil, nil); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

// TestMixup takes the mixtures apart again.
func TestMixup(t *testing.T) {
	set := counting(6)
	s := newSource(set)
	plain, mixed := newLessons(s, Settings{}, 7, 6), newLessons(s, Settings{Mixup: 1, Smoothing: 0.3}, 7, 6)
	a, b := &batch{make([]float32, 6*18), make([]float32, 6)}, &batch{make([]float32, 6*18), make([]float32, 18)}
	plain.fill(a, 1)
	mixed.fill(b, 1)
	r := stream.New(7, "mixup", 1)
	share := float32(beta(r, 1))
	for i, other := range r.Perm(6) {
		for p := range 18 {
			if want := share*a.images[18*i+p] + (1-share)*a.images[18*other+p]; b.images[18*i+p] != want {
				t.Fatalf("pixel %d of image %d is %v, want %v", p, i, b.images[18*i+p], want)
			}
		}
		for k := range 3 {
			want := 0.1
			if int(a.targets[i]) == k {
				want += 0.7 * float64(share)
			}
			if int(a.targets[other]) == k {
				want += 0.7 * (1 - float64(share))
			}
			if got := float64(b.targets[3*i+k]); math.Abs(got-want) > 1e-6 {
				t.Errorf("class %d of image %d has the share %v, want %v", k, i, got, want)
			}
		}
	}
}

// BenchmarkBatch makes batches of 64 CIFAR-sized images with every augmentation.
func BenchmarkBatch(b *testing.B) {
	set := &dataset.Set{Channels: 3, H: 32, W: 32, Classes: 10, Mean: make([]float32, 3), Std: []float32{1, 1, 1}}
	set.Train = dataset.Split{Pixels: make([]byte, 640*3072), Labels: make([]byte, 640)}
	l := newLessons(newSource(set), Settings{Flip: true, Shift: 4, Cutout: 8}, 1, 64)
	to := &batch{make([]float32, 64*3072), make([]float32, 64)}
	step := 0
	for b.Loop() {
		l.fill(to, step)
		step++
	}
}
