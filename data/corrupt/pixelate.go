package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// pixelate shrinks the picture to 0.6, 0.5, 0.4, 0.3, 0.25 of its size, by averaging, and enlarges it again, by repeating pixels.
func pixelate(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	factor := [...]float64{0.6, 0.5, 0.4, 0.3, 0.25}[severity-1]
	h, w := max(int(float64(p.Height)*factor), 1), max(int(float64(p.Width)*factor), 1)
	rowSpans, columnSpans := boxSpans(p.Height, h), boxSpans(p.Width, w)
	small := data.NewPixels(h, w)
	for y, ys := range rowSpans {
		for x, xs := range columnSpans {
			count := (ys.end - ys.begin) * (xs.end - xs.begin)
			for channel := range 3 {
				sum := 0
				for row := ys.begin; row < ys.end; row++ {
					for column := xs.begin; column < xs.end; column++ {
						sum += int(p.Data[3*(row*p.Width+column)+channel])
					}
				}
				small.Data[3*(y*w+x)+channel] = uint8((2*sum + count) / (2 * count))
			}
		}
	}
	out := data.NewPixels(p.Height, p.Width)
	fromRow, fromColumn := boxSpans(h, p.Height), boxSpans(w, p.Width)
	for y := range p.Height {
		for x := range p.Width {
			from := 3 * (fromRow[y].begin*w + fromColumn[x].begin)
			copy(out.Data[3*(y*p.Width+x):][:3], small.Data[from:from+3])
		}
	}
	return out
}

// span is some neighbouring pixels, without end.
type span struct{ begin, end int }

// boxSpans returns, for each of out pixels, those of a line of in pixels whose centres it covers; where it is smaller than a pixel, the one it lies
// in (Pillow's box filter, which the benchmark uses).
func boxSpans(in, out int) []span {
	spans := make([]span, out)
	scale := float64(in) / float64(out)
	centre := scale / 2
	for i := range spans {
		if scale <= 1 {
			at := min(int(centre), in-1)
			spans[i] = span{at, at + 1}
			centre += scale // summed up as in Pillow, whose rounding decides where a centre lies on a border
			continue
		}
		spans[i] = span{int(float64(i)*scale + 0.5), min(int(float64(i+1)*scale+0.5), in)}
	}
	return spans
}
