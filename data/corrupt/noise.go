package corrupt

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"ffslab/data"
)

// gaussianNoise adds normal noise with a deviation of 0.08, 0.12, 0.18, 0.26, 0.38 of the range to
// every channel of every pixel.
func gaussianNoise(p *data.Pixels, severity int, r *rand.Rand) *data.Pixels {
	deviation := [...]float64{0.08, 0.12, 0.18, 0.26, 0.38}[severity-1]
	return eachValue(p, func(v float32) float32 { return v + float32(deviation*r.NormFloat64()) })
}

// speckleNoise multiplies every value by normal noise around 1 with a deviation of 0.15, 0.2, 0.35,
// 0.45, 0.6.
func speckleNoise(p *data.Pixels, severity int, r *rand.Rand) *data.Pixels {
	deviation := [...]float64{0.15, 0.2, 0.35, 0.45, 0.6}[severity-1]
	return eachValue(p, func(v float32) float32 { return v + v*float32(deviation*r.NormFloat64()) })
}

// impulseNoise sets 0.03, 0.06, 0.09, 0.17, 0.27 of all values to 0 or 1, with equal probability.
func impulseNoise(p *data.Pixels, severity int, r *rand.Rand) *data.Pixels {
	share := [...]float64{0.03, 0.06, 0.09, 0.17, 0.27}[severity-1]
	return eachValue(p, func(v float32) float32 {
		switch u := r.Float64(); {
		case u < share/2:
			return 0
		case u > 1-share/2:
			return 1
		}
		return v
	})
}

func eachValue(p *data.Pixels, change func(float32) float32) *data.Pixels {
	out := data.NewPixels(p.Height, p.Width)
	for i, v := range p.Data {
		out.Data[i] = level(change(float32(v) / 255))
	}
	return out
}

// shotNoise counts photons: a value becomes a draw from a Poisson distribution with the mean 60,
// 25, 12, 5, 3 for a full value.
func shotNoise(p *data.Pixels, severity int, r *rand.Rand) *data.Pixels {
	full := [...]float64{60, 25, 12, 5, 3}[severity-1]
	// Cumulative probabilities of the counts for each of the 256 values, computed when needed.
	var cumulative [256][]float64
	out := data.NewPixels(p.Height, p.Width)
	for i, v := range p.Data {
		u := r.Float64()
		if v == 0 {
			continue // no light, no photon
		}
		if cumulative[v] == nil {
			cumulative[v] = poisson(float64(v) / 255 * full)
		}
		count := 0
		for count < len(cumulative[v]) && u >= cumulative[v][count] {
			count++
		}
		out.Data[i] = level(float32(float64(count) / full))
	}
	return out
}

// poisson returns the probabilities of at most 0, 1, 2, ... events, up to nearly 1.
func poisson(mean float64) []float64 {
	distribution := distuv.Poisson{Lambda: mean}
	var cumulative []float64
	for total := 0.0; total < 1-1e-9; {
		total += distribution.Prob(float64(len(cumulative)))
		cumulative = append(cumulative, total)
	}
	return cumulative
}
