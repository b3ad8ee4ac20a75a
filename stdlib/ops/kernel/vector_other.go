//go:build !amd64

package kernel

const haveAVX2, haveAVX512 = false, false

func multiplyAVX2(l int, a, b *float32, off *int, c *float32, ldc int) {}
func dotAVX2(n int, a, b *float32) float32                             { return 0 }
func sumAVX2(n int, x *float32) float32                                { return 0 }
func sumSquaresAVX2(n int, x *float32, m float32) float32              { return 0 }
func sumProductAVX2(n int, dy, x *float32, m float32) (s, p float32)   { return 0, 0 }
func affineAVX2(n int, y, x *float32, a, b float32)                    {}
func affine2AVX2(n int, y, u, v *float32, a, b, c float32)             {}
func addAVX2(n int, y, a, b *float32)                                  {}
func reluAVX2(n int, y, x *float32)                                    {}
func reluGradAVX2(n int, d, y, dy *float32)                            {}
func expAVX2(n int, y, x *float32)                                     {}
