package backbone

import (
	"fmt"
	"math"
)

// Design holds, for each stage of a RegNet, its width, its number of blocks and the width of a
// group.
type Design struct {
	Widths, Depths, GroupWidths []int
}

// WidthRounding is a rule that makes widths divisible by the group width.
type WidthRounding string

const (
	// RoundNearest takes the nearest multiple, and of two the even one, as pycls, detectron2 and
	// timm do.
	RoundNearest WidthRounding = ""
	// RoundTorchvision takes the nearest multiple, and of two the larger one, but the next larger
	// one if that is under 0.9 of the width. It changes the widths of torchvision's RegNetX-400MF,
	// RegNetY-800MF and RegNetY-8.0GF.
	RoundTorchvision WidthRounding = "torchvision"
)

// multiple rounds width to a multiple of group.
func (r WidthRounding) multiple(width, group int) int {
	if r == RoundTorchvision {
		rounded := max(group, (width+group/2)/group*group)
		if 10*rounded < 9*width {
			rounded += group
		}
		return rounded
	}
	return int(math.RoundToEven(float64(width)/float64(group))) * group
}

// Design computes the stages by RegNet's rule: block widths w_0 + w_a * j, quantised to w_0 * w_m^k
// and to multiples of 8, then made divisible by the group width. The bottleneck ratio is 1.
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
		d.Widths[i] = c.WidthRounding.multiple(width, group)
		d.GroupWidths = append(d.GroupWidths, group)
	}
	return d, nil
}
