package kernel

import "golang.org/x/sys/cpu"

// What the assembly loops need. The processor has it and the system keeps its
// registers. The variable GODEBUG can take features away, for a comparison or for the
// bits of another processor: cpu.avx512f=off leaves AVX2, cpu.avx2=off the Go loops.
var (
	haveAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	haveAVX512 = haveAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasBMI2
)

//go:noescape
func multiplyAVX2(l int, a, b *float32, off *int, c *float32, ldc int)

//go:noescape
func dotAVX2(n int, a, b *float32) float32

//go:noescape
func sumAVX2(n int, x *float32) float32

//go:noescape
func sumSquaresAVX2(n int, x *float32, m float32) float32

//go:noescape
func sumProductAVX2(n int, dy, x *float32, m float32) (s, p float32)

//go:noescape
func affineAVX2(n int, y, x *float32, a, b float32)

//go:noescape
func affine2AVX2(n int, y, u, v *float32, a, b, c float32)

//go:noescape
func addAVX2(n int, y, a, b *float32)

//go:noescape
func reluAVX2(n int, y, x *float32)

//go:noescape
func reluGradAVX2(n int, d, y, dy *float32)

//go:noescape
func expAVX2(n int, y, x *float32)
