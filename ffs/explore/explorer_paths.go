package explore

import (
	"cmp"
	"context"
	"math"
	"slices"

	"ffslab/viz/explorer"
)

// pathSteps is the number of intervals of a path.
const pathSteps = 24

// leading returns the groups of the most frequent classes and all groups of unknown objects, in the
// page's order.
func (b *explorerBuilder) leading() []realGroup {
	var known []realGroup
	for _, g := range b.groups {
		if !g.unknown {
			known = append(known, g)
		}
	}
	slices.SortStableFunc(known, func(a, b realGroup) int { return cmp.Compare(len(b.all), len(a.all)) })
	known = known[:min(explorerClasses, len(known))]
	slices.SortFunc(known, func(a, b realGroup) int { return cmp.Compare(a.first, b.first) })
	for _, g := range b.groups {
		if g.unknown {
			known = append(known, g)
		}
	}
	return known
}

// addPaths adds paths between the typical objects of the leading groups, which lie nearest to the
// means of their groups. A model without a flow has no paths.
func (b *explorerBuilder) addPaths() error {
	if !b.v.model.HasFlow() {
		return nil
	}
	var ends []int
	for _, g := range b.leading() {
		centre := narrow([][]float64{mean(widen(g.shown))})
		ends = append(ends, g.first+newNearestFinder(g.shown).find(centre, 1)[0][0])
	}
	for i, from := range ends {
		for _, to := range ends[i+1:] {
			path, err := b.Path(context.Background(), from, to)
			if err != nil {
				return err
			}
			b.page.Paths = append(b.page.Paths, path)
		}
	}
	return nil
}

// Path implements [explorer.Source].
func (b *explorerBuilder) Path(ctx context.Context, from, to int) (explorer.Path, error) {
	path := explorer.Path{From: from, To: to}
	if err := ctx.Err(); err != nil {
		return path, err
	}
	b.computing.Lock()
	defer b.computing.Unlock()
	latents, _, err := b.v.model.Encode([][]float32{b.real[from], b.real[to]})
	if err != nil {
		return path, err
	}
	var curve, straight [][]float32
	for step := range pathSteps + 1 {
		t := float64(step) / pathSteps
		curve = append(curve, between(latents[0], latents[1], t))
		straight = append(straight, onLine(b.real[from], b.real[to], 1-t, t))
	}
	features, nll, err := b.v.model.Decode(curve)
	if err != nil {
		return path, err
	}
	scores, err := b.v.model.Score(features)
	if err != nil {
		return path, err
	}
	straightScores, err := b.v.model.Score(straight)
	if err != nil {
		return path, err
	}
	path.Straight = energies(straightScores)
	path.Steps, err = b.samples(features, nll, energies(scores))
	return path, err
}

// between interpolates latents along the great circle from a (t = 0) to b (t = 1), and their
// lengths linearly. Latents of many dimensions lie in a thin shell, which a straight line would
// leave. For parallel latents, which define no circle, it interpolates linearly.
func between(a, b []float32, t float64) []float32 {
	var aa, bb, ab float64
	for i := range a {
		aa, bb, ab = aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i]), ab+float64(a[i])*float64(b[i])
	}
	aa, bb = math.Sqrt(aa), math.Sqrt(bb)
	angle := math.Acos(max(-1, min(1, ab/(aa*bb))))
	if sine := math.Sin(angle); sine > 1e-3 { // false for NaN, if a or b is zero
		length := (1-t)*aa + t*bb
		return onLine(a, b, math.Sin((1-t)*angle)/sine*length/aa, math.Sin(t*angle)/sine*length/bb)
	}
	return onLine(a, b, 1-t, t)
}

// onLine returns u a + v b.
func onLine(a, b []float32, u, v float64) []float32 {
	out := make([]float32, len(a))
	for i := range out {
		out[i] = float32(u*float64(a[i]) + v*float64(b[i]))
	}
	return out
}
