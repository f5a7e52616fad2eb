package backbone

import "slices"

// published are the RegNets of "Designing Network Design Spaces" under timm's names: the last three
// digits are the cost in units of 100 MFLOP. Those with a Y have squeeze and excitation.
var published = []struct {
	name       string
	depth      int
	wA         float64
	w0         int
	wM         float64
	groupWidth int
}{
	{"regnetx_002", 13, 36.44, 24, 2.49, 8},
	{"regnetx_004", 22, 24.48, 24, 2.54, 16},
	{"regnetx_006", 16, 36.97, 48, 2.24, 24},
	{"regnetx_008", 16, 35.73, 56, 2.28, 16},
	{"regnetx_016", 18, 34.01, 80, 2.25, 24},
	{"regnetx_032", 25, 26.31, 88, 2.25, 48},
	{"regnetx_040", 23, 38.65, 96, 2.43, 40},
	{"regnetx_064", 17, 60.83, 184, 2.07, 56},
	{"regnetx_080", 23, 49.56, 80, 2.88, 120},
	{"regnetx_120", 19, 73.36, 168, 2.37, 112},
	{"regnetx_160", 22, 55.59, 216, 2.1, 128},
	{"regnetx_320", 23, 69.86, 320, 2.0, 168},
	{"regnety_002", 13, 36.44, 24, 2.49, 8},
	{"regnety_004", 16, 27.89, 48, 2.09, 8},
	{"regnety_006", 15, 32.54, 48, 2.32, 16},
	{"regnety_008", 14, 38.84, 56, 2.4, 16},
	{"regnety_016", 27, 20.71, 48, 2.65, 24},
	{"regnety_032", 21, 42.63, 80, 2.66, 24},
	{"regnety_040", 22, 31.41, 96, 2.24, 64},
	{"regnety_064", 25, 33.22, 112, 2.27, 72},
	{"regnety_080", 17, 76.82, 192, 2.19, 56},
	{"regnety_120", 19, 73.36, 168, 2.37, 112},
	{"regnety_160", 18, 106.23, 200, 2.48, 112},
	{"regnety_320", 20, 115.89, 232, 2.53, 232},
}

// Published returns the published RegNet of the design, with squeeze and excitation if se, and its
// name in timm. It returns false if there is none.
func Published(d Design, se bool) (name string, c Config, ok bool) {
	for _, p := range published {
		c := Config{
			Family: RegNet, StemWidth: 32, Depth: p.depth, WA: p.wA, W0: p.w0, WM: p.wM, GroupWidth: p.groupWidth,
		}
		if isY := p.name[len("regnet")] == 'y'; isY != se {
			continue
		} else if isY {
			c.SERatio = 0.25
		}
		for _, c.WidthRounding = range []WidthRounding{RoundNearest, RoundTorchvision} {
			if made, err := c.Design(); err == nil && made.Equal(d) {
				return p.name, c, true
			}
		}
	}
	return "", Config{}, false
}

// Equal reports whether the stages are the same.
func (d Design) Equal(other Design) bool {
	return slices.Equal(d.Widths, other.Widths) && slices.Equal(d.Depths, other.Depths) &&
		slices.Equal(d.GroupWidths, other.GroupWidths)
}
