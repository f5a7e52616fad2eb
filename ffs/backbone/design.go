package backbone

import (
	"fmt"
	"math"
)

// Design is what a RegNet's parameters come to: for each stage the width, the number of blocks and the width of a group.
type Design struct {
	Widths, Depths, GroupWidths []int
}

// Design computes the stages by the RegNet rule: block widths w_0 + w_a * j, quantised to w_0 * w_m^k and to multiples of 8, and made
// divisible by the group width, rounding halves to even as the original does. Every bottleneck ratio is 1.
func (c Config) Design() (Design, error) {
	if c.WA < 0 || c.W0 <= 0 || c.WM <= 1 || c.W0%8 != 0 || c.Depth <= 0 || c.GroupWidth <= 0 {
		return Design{}, fmt.Errorf("depth: %d with w_a %g, w_0 %d, w_m %g, group_width %d: depth and group_width must be positive, w_a not negative, w_0 a multiple of 8, w_m above 1",
			c.Depth, c.WA, c.W0, c.WM, c.GroupWidth)
	}
	var d Design
	last := 0
	for j := range c.Depth {
		continuous := float64(c.W0) + c.WA*float64(j)
		k := math.RoundToEven(math.Log(continuous/float64(c.W0)) / math.Log(c.WM))
		width := int(math.RoundToEven(float64(c.W0)*math.Pow(c.WM, k)/8)) * 8
		if width != last {
			d.Widths, d.Depths = append(d.Widths, width), append(d.Depths, 0)
			last = width
		}
		d.Depths[len(d.Depths)-1]++
	}
	for i, width := range d.Widths {
		group := min(c.GroupWidth, width)
		d.Widths[i] = int(math.RoundToEven(float64(width)/float64(group))) * group
		d.GroupWidths = append(d.GroupWidths, group)
	}
	return d, nil
}
