package ops

import (
	"errors"
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("patch_embed", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		if _, ok := s.Attrs["dim"]; !ok {
			return nil, errors.New("attribute dim is missing")
		}
		dim, err := s.Int("dim", 0)
		if err != nil {
			return nil, err
		}
		size, err := s.Int("size", 16)
		if err != nil {
			return nil, err
		}
		if x := in[0].Shape(); x[2]%size != 0 || x[3]%size != 0 {
			return nil, fmt.Errorf("an image of %dx%d cannot be cut into squares of %d", x[2], x[3], size)
		}
		y, err := s.convolution("embed", in[0], filter{out: dim, kernel: size, stride: size, exact: true, bias: true, even: true})
		if err != nil {
			return nil, err
		}
		token, err := s.Params.Learn(s.Address+"/class", Init{Std: 0.02}, dim)
		if err != nil {
			return nil, err
		}
		if y, err = s.prepend(y, token); err != nil {
			return nil, err
		}
		return s.position("position", y)
	})
}

// prepend makes the positions of a map the tokens of a sequence (B,C,n+1,1) and puts
// a token (C) in front.
func (n *Network) prepend(x, token *gorgonia.Node) (*gorgonia.Node, error) {
	ws, in := n.Workers, x.Shape()
	b, c, area := in[0], in[1], in[2]*in[3]
	return n.apply(spec{
		name: "prepend", shape: tensor.Shape{b, c, area + 1, 1},
		loops: loops{prepend[float32](ws, b, c, area), prepend[float64](ws, b, c, area)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "prepend/dx", linear: last, shape: in[0].Shape(),
				loops: loops{withoutFirst[float32](ws, b, c, area), withoutFirst[float64](ws, b, c, area)}}, grad)
			if err != nil {
				return nil, err
			}
			first, err := n.first(grad)
			if err != nil {
				return nil, err
			}
			dtoken, err := n.apply(spec{name: "prepend/dtoken", linear: last, shape: in[1].Shape(),
				loops: loops{sumRows[float32](ws), sumRows[float64](ws)}}, first)
			return gorgonia.Nodes{dx, dtoken}, err
		},
	}, x, token)
}

func prepend[T kernel.Float](ws *kernel.Workers, b, c, area int) func([][]T, []T) {
	return func(in [][]T, y []T) {
		ws.Run(b, func(_, i int) {
			image := y[i*(area+1)*c:][:(area+1)*c]
			copy(image, in[1])
			copy(image[c:], in[0][i*area*c:])
		})
	}
}

func withoutFirst[T kernel.Float](ws *kernel.Workers, b, c, area int) func([][]T, []T) {
	return func(in [][]T, dx []T) {
		ws.Run(b, func(_, i int) { copy(dx[i*area*c:][:area*c], in[0][(i*(area+1)+1)*c:]) })
	}
}
