package data

import "math"

// The arithmetic is that of Pillow's resize of 8-bit images with the bilinear (triangle) filter, so
// that networks trained on Pillow's pixels see the same ones: the filter widens when shrinking,
// weights are fixed-point numbers with 22 fractional bits, rows are filtered before columns, and
// the image between the passes is rounded to 8 bits.
const (
	fractionBits = 22
	half         = 1 << (fractionBits - 1)
)

// taps are the weights with which neighbouring input pixels make an output pixel.
type taps struct {
	first   int // index of the first input pixel
	weights []int32
}

// triangleTaps returns, for each of out pixels, its weights over a line of in pixels.
func triangleTaps(in, out int) []taps {
	scale := float64(in) / float64(out)
	support := max(scale, 1) // the filter's half width, in input pixels
	lines := make([]taps, out)
	for i := range lines {
		centre := float64((float64(i) + 0.5) * scale) // the conversion prevents a fused multiply-add, which rounds differently
		first := max(int(centre-support+0.5), 0)
		last := min(int(centre+support+0.5), in)
		weights := make([]float64, last-first)
		total := 0.0
		for j := range weights {
			distance := (float64(j+first) - centre + 0.5) * (1 / support)
			weights[j] = max(1-math.Abs(distance), 0)
			total += weights[j]
		}
		fixed := make([]int32, len(weights))
		for j, w := range weights {
			fixed[j] = int32(0.5 + w/total*(1<<fractionBits))
		}
		lines[i] = taps{first, fixed}
	}
	return lines
}

// Resize returns the picture at another size, equal to Pillow's Image.resize((width, height),
// BILINEAR) to the pixel. It may return p itself if the size is the same.
func Resize(p *Pixels, height, width int) *Pixels {
	if width != p.Width {
		p = resizeRows(p, width)
	}
	if height != p.Height {
		p = resizeColumns(p, height)
	}
	return p
}

func resizeRows(p *Pixels, width int) *Pixels {
	out := NewPixels(p.Height, width)
	lines := triangleTaps(p.Width, width)
	for y := range p.Height {
		row := p.Data[3*y*p.Width:][:3*p.Width]
		target := out.Data[3*y*width:][:3*width]
		for x, t := range lines {
			b, g, r := int32(half), int32(half), int32(half)
			source := row[3*t.first:][:3*len(t.weights)]
			for j, w := range t.weights {
				b += int32(source[3*j]) * w
				g += int32(source[3*j+1]) * w
				r += int32(source[3*j+2]) * w
			}
			target[3*x], target[3*x+1], target[3*x+2] = toByte(b), toByte(g), toByte(r)
		}
	}
	return out
}

func resizeColumns(p *Pixels, height int) *Pixels {
	out := NewPixels(height, p.Width)
	stride := 3 * p.Width
	sums := make([]int32, stride)
	for y, t := range triangleTaps(p.Height, height) {
		for i := range sums {
			sums[i] = half
		}
		for j, w := range t.weights {
			row := p.Data[(t.first+j)*stride:][:stride]
			for i, v := range row {
				sums[i] += int32(v) * w
			}
		}
		target := out.Data[y*stride:][:stride]
		for i, v := range sums {
			target[i] = toByte(v)
		}
	}
	return out
}

// toByte drops the fraction. Weights are not negative and add up to one, so only rounding can leave
// the range.
func toByte(v int32) uint8 { return uint8(min(v>>fractionBits, 255)) }
