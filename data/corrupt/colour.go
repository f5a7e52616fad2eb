package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// brightness adds 0.1, 0.2, 0.3, 0.4, 0.5 to the value of hue, saturation and value, up to 1. Black
// has no hue and becomes grey.
func brightness(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	by := [...]float32{0.1, 0.2, 0.3, 0.4, 0.5}[severity-1]
	return eachPixel(p, func(v []float32) {
		value := max(v[0], v[1], v[2])
		brighter := min(value+by, 1)
		for i := range v {
			if value == 0 {
				v[i] = brighter
			} else {
				v[i] *= brighter / value // keeps hue and saturation
			}
		}
	})
}

// saturate multiplies the saturation of hue, saturation and value by 0.3, 0.1, 2, 5, 20 and adds 0,
// 0, 0, 0.1, 0.2, up to 1. The first two make colours paler, the others stronger. As in the
// benchmark, grey counts as red without saturation, and so turns reddish if something is added.
func saturate(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	times := [...]float32{0.3, 0.1, 2, 5, 20}[severity-1]
	plus := [...]float32{0, 0, 0, 0.1, 0.2}[severity-1]
	return eachPixel(p, func(v []float32) {
		value, lowest := max(v[0], v[1], v[2]), min(v[0], v[1], v[2])
		if value == lowest {
			v[0], v[1] = value*(1-plus), value*(1-plus) // blue and green
			return
		}
		saturation := (value - lowest) / value
		change := min(saturation*times+plus, 1) / saturation
		for i := range v {
			v[i] = value - (value-v[i])*change
		}
	})
}

// eachPixel changes the three channels of every pixel together.
func eachPixel(p *data.Pixels, change func(v []float32)) *data.Pixels {
	r := fromPixels(p)
	for i := 0; i < len(r.v); i += 3 {
		change(r.v[i : i+3])
	}
	return r.pixels()
}

// contrast moves every value towards the mean of its channel: 0.4, 0.3, 0.2, 0.1, 0.05 of the
// difference remain.
func contrast(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	remains := [...]float64{0.4, 0.3, 0.2, 0.1, 0.05}[severity-1]
	var sums [3]int
	for i, v := range p.Data {
		sums[i%3] += int(v)
	}
	out := data.NewPixels(p.Height, p.Width)
	for channel, sum := range sums {
		mean := float64(sum) / float64(p.Height*p.Width)
		var table [256]uint8
		for v := range table {
			table[v] = uint8((float64(v)-mean)*remains + mean + 0.5)
		}
		for i := channel; i < len(p.Data); i += 3 {
			out.Data[i] = table[p.Data[i]]
		}
	}
	return out
}
