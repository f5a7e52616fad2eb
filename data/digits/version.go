package digits

import (
	"math/rand/v2"
)

// version is how scenes look. Their objects, poses and places are drawn alike.
type version struct {
	name      string     // before the colon of a spec
	heights   [2]float64 // least and largest height of an object, pixels
	lines     int        // lines through a scene, at most
	lineWidth float64    // at most, pixels
	lineAlpha [2]float64 // range of a line's opacity
	groups    int        // groups of strokes that are no objects, at most

	coarse, fine float64 // largest amplitude of the background's two noises, levels of 255
	shade        float64 // how much brighter an object may be at one end, levels
	grain        float64 // largest strength of the camera's noise, levels

	ground     func(r *rand.Rand) colour
	related    func(ground colour, r *rand.Rand) colour // the other end of the background's gradient
	ink        func(r *rand.Rand) colour                // of objects and lines
	distractor func(r *rand.Rand, under colour) colour  // of groups of strokes, on a ground
}

// first has any colour everywhere.
var first = version{
	name: "digits", heights: [2]float64{14, 84},
	lines: 5, lineWidth: 3, lineAlpha: [2]float64{0.4, 0.9}, groups: 5,
	coarse: 35, fine: 22, shade: 20, grain: 14,
	ground:     randomColour,
	related:    func(c colour, r *rand.Rand) colour { return c.jitter(r, 90) },
	ink:        randomColour,
	distractor: func(r *rand.Rand, _ colour) colour { return randomColour(r) },
}

// second has print colours on pale or dark grounds; what is no object is paler than the objects.
var second = version{
	name: "digits2", heights: [2]float64{18, 96},
	lines: 3, lineWidth: 2, lineAlpha: [2]float64{0.15, 0.45}, groups: 4,
	coarse: 7, fine: 4, shade: 12, grain: 5,
	ground: func(r *rand.Rand) colour {
		if r.IntN(3) == 0 {
			return pick(r, dark).jitter(r, 8)
		}
		return pick(r, pale).jitter(r, 8)
	},
	related: func(c colour, r *rand.Rand) colour {
		towards := float32(between(r, -26, 26))
		return colour{c[0] + towards, c[1] + towards, c[2] + towards}
	},
	ink: func(r *rand.Rand) colour { return pick(r, inks).jitter(r, 12) },
	distractor: func(r *rand.Rand, under colour) colour {
		return under.mix(pick(r, inks), float32(between(r, 0.3, 0.7)))
	},
}

// Colours of the second version, as red, green and blue.
var (
	pale = rgb(0xf6f3ea, 0xf1f1ef, 0xe9eef2, 0xeaf0e6, 0xf3e9dd, 0xefe8f0)
	dark = rgb(0x26323f, 0x2f2f35, 0x1f3a3a, 0x33293c)
	// inks can be told apart by colour-blind readers as well, mostly.
	inks = rgb(0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0xb2182b, 0x6a3d9a, 0x2b2f38, 0xf7f4ee)
)

func rgb(values ...uint32) []colour {
	out := make([]colour, len(values))
	for i, v := range values {
		out[i] = colour{float32(v & 255), float32(v >> 8 & 255), float32(v >> 16 & 255)}
	}
	return out
}

func pick(r *rand.Rand, colours []colour) colour { return colours[r.IntN(len(colours))] }

// jitter moves each channel by at most that many levels.
func (a colour) jitter(r *rand.Rand, levels float64) colour {
	for i := range a {
		a[i] += float32(between(r, -levels, levels))
	}
	return a
}
