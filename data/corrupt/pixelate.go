package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// pixelate shrinks the picture to 0.6, 0.5, 0.4, 0.3, 0.25 of its size by averaging, and enlarges
// it by repeating pixels.
func pixelate(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	factor := [...]float64{0.6, 0.5, 0.4, 0.3, 0.25}[severity-1]
	h, w := max(int(float64(p.Height)*factor), 1), max(int(float64(p.Width)*factor), 1)
	// As in Pillow rows are averaged to whole levels first.
	narrow, small := data.NewPixels(p.Height, w), data.NewPixels(h, w)
	for x, xs := range boxSpans(p.Width, w) {
		for y := range p.Height {
			for channel := range 3 {
				narrow.Data[3*(y*w+x)+channel] = mean(p.Data[3*y*p.Width+channel:], 3, xs)
			}
		}
	}
	for y, ys := range boxSpans(p.Height, h) {
		for i := range 3 * w {
			small.Data[3*y*w+i] = mean(narrow.Data[i:], 3*w, ys)
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

// mean returns the rounded mean of the levels of a span whose neighbours are stride apart.
func mean(levels []uint8, stride int, of span) uint8 {
	sum, count := 0, of.end-of.begin
	for i := of.begin; i < of.end; i++ {
		sum += int(levels[i*stride])
	}
	return uint8((2*sum + count) / (2 * count))
}

// span is a half-open range of pixels.
type span struct{ begin, end int }

// boxSpans returns, for each of out pixels, those of a line of in pixels whose centres it covers,
// or the one that it lies in if it is smaller than a pixel (Pillow's box filter, which the
// benchmark uses).
func boxSpans(in, out int) []span {
	spans := make([]span, out)
	scale := float64(in) / float64(out)
	for i := range spans {
		if scale <= 1 {
			at := min(int((float64(i)+0.5)*scale), in-1)
			spans[i] = span{at, at + 1}
			continue
		}
		spans[i] = span{int(float64(i)*scale + 0.5), min(int(float64(i+1)*scale+0.5), in)}
	}
	return spans
}
