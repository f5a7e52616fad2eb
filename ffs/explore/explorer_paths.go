package explore

import (
	"cmp"
	"math"
	"slices"

	"ffslab/viz/explorer"
)

// pathSteps is the number of intervals of a path.
const pathSteps = 24

// leading returns the groups of the most frequent classes, and all of unknown objects, in the page's order.
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

// addPaths adds ways through the latents between the typical objects of the leading groups, those nearest to the group's mean. A model
// without a flow has none.
func (b *explorerBuilder) addPaths() error {
	if !b.v.model.HasFlow() {
		return nil
	}
	var ends []int
	for _, g := range b.leading() {
		centre := narrow([][]float64{mean(widen(g.shown))})
		ends = append(ends, g.first+newNearestFinder(g.shown).find(centre, 1)[0][0])
	}
	var way, straight [][]float32
	for i, from := range ends {
		for _, to := range ends[i+1:] {
			latents, _, err := b.v.model.Encode([][]float32{b.real[from], b.real[to]})
			if err != nil {
				return err
			}
			for step := range pathSteps + 1 {
				t := float64(step) / pathSteps
				way = append(way, between(latents[0], latents[1], t))
				straight = append(straight, onLine(b.real[from], b.real[to], 1-t, t))
			}
			b.page.Paths = append(b.page.Paths, explorer.Path{From: from, To: to})
		}
	}
	if len(way) == 0 {
		return nil
	}
	features, nll, err := b.v.model.Decode(way)
	if err != nil {
		return err
	}
	scores, err := b.v.model.Score(features)
	if err != nil {
		return err
	}
	straightScores, err := b.v.model.Score(straight)
	if err != nil {
		return err
	}
	samples, err := b.samples(features, nll, energies(scores))
	if err != nil {
		return err
	}
	along := energies(straightScores)
	for i := range b.page.Paths {
		n := pathSteps + 1
		b.page.Paths[i].Steps, b.page.Paths[i].Straight = samples[i*n:(i+1)*n], along[i*n:(i+1)*n]
	}
	return nil
}

// between is the latent at the part t of the way from a to b on the great circle, its length between theirs. Latents of many dimensions lie in a thin
// shell: the straight line would leave it. Latents in one direction, or in opposite ones, have no such circle, and the line is taken.
func between(a, b []float32, t float64) []float32 {
	var aa, bb, ab float64
	for i := range a {
		aa, bb, ab = aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i]), ab+float64(a[i])*float64(b[i])
	}
	aa, bb = math.Sqrt(aa), math.Sqrt(bb)
	angle := math.Acos(max(-1, min(1, ab/(aa*bb))))
	if sine := math.Sin(angle); sine > 1e-3 { // false for NaN, of a zero, too
		length := (1-t)*aa + t*bb
		return onLine(a, b, math.Sin((1-t)*angle)/sine*length/aa, math.Sin(t*angle)/sine*length/bb)
	}
	return onLine(a, b, 1-t, t)
}

// onLine is u a + v b.
func onLine(a, b []float32, u, v float64) []float32 {
	out := make([]float32, len(a))
	for i := range out {
		out[i] = float32(u*float64(a[i]) + v*float64(b[i]))
	}
	return out
}
