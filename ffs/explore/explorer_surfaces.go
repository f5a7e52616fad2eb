package explore

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"ffslab/viz/explorer"
)

const (
	// surfaceCorners is the number of means, any three of which define a surface.
	surfaceCorners = 7
	// surfaceSide is the number of grid lines in each direction.
	surfaceSide = 41
)

// addSurfaces adds the energy over the plane through any three means of the leading groups.
func (b *explorerBuilder) addSurfaces() error {
	var names []string
	var means [][]float64
	leading := b.leading()
	for _, g := range leading[:min(surfaceCorners, len(leading))] {
		names, means = append(names, g.name), append(means, mean(widen(g.all)))
	}
	for i := range means {
		for j := i + 1; j < len(means); j++ {
			for k := j + 1; k < len(means); k++ {
				p, ok := newMeansPlane(means[i], means[j], means[k])
				if !ok {
					continue
				}
				surface, err := b.surface(p, [3]string{names[i], names[j], names[k]})
				if err != nil {
					return err
				}
				b.page.Surfaces = append(b.page.Surfaces, surface)
			}
		}
	}
	return nil
}

func (b *explorerBuilder) surface(p meansPlane, names [3]string) (explorer.Surface, error) {
	s := explorer.Surface{}
	s.X, s.Y = p.window()
	var rows [][]float64
	for j := range surfaceSide {
		for i := range surfaceSide {
			u, v := float64(i)/(surfaceSide-1), float64(j)/(surfaceSide-1)
			rows = append(rows, p.at(s.X[0]+u*(s.X[1]-s.X[0]), s.Y[0]+v*(s.Y[1]-s.Y[0])))
		}
	}
	for _, c := range p.corners {
		rows = append(rows, p.at(c[0], c[1]))
	}
	scores, err := b.v.model.Score(narrow(rows))
	if err != nil {
		return s, err
	}
	energy := energies(scores)
	for j := range surfaceSide {
		s.Z = append(s.Z, energy[j*surfaceSide:(j+1)*surfaceSide])
	}
	for i, c := range p.corners {
		s.Corners[i] = explorer.Corner{Name: names[i], X: c[0], Y: c[1], Energy: energy[surfaceSide*surfaceSide+i]}
	}
	return s, nil
}

// meansPlane is the plane through three points. Its origin is the first point, and its first axis
// points to the second.
type meansPlane struct {
	origin, e1, e2 []float64
	corners        [3][2]float64
}

// newMeansPlane reports false for points on a line.
func newMeansPlane(a, b, c []float64) (meansPlane, bool) {
	p := meansPlane{origin: a}
	p.e1, p.e2 = floats.SubTo(make([]float64, len(a)), b, a), floats.SubTo(make([]float64, len(a)), c, a)
	length, reach := floats.Norm(p.e1, 2), floats.Norm(p.e2, 2)
	floats.Scale(1/length, p.e1)
	along := floats.Dot(p.e1, p.e2)
	floats.AddScaled(p.e2, -along, p.e1)
	height := floats.Norm(p.e2, 2)
	floats.Scale(1/height, p.e2)
	p.corners = [3][2]float64{{}, {length, 0}, {along, height}}
	return p, length > 0 && height > 1e-6*reach
}

// at returns the point at the coordinates x and y.
func (p meansPlane) at(x, y float64) []float64 {
	out := append([]float64(nil), p.origin...)
	floats.AddScaled(out, x, p.e1)
	floats.AddScaled(out, y, p.e2)
	return out
}

// window returns the axes of a square around the corners, twice as large as their extent.
func (p meansPlane) window() (x, y [2]float64) {
	ends := func(axis int) (middle, extent float64) {
		low, high := math.Inf(1), math.Inf(-1)
		for _, c := range p.corners {
			low, high = min(low, c[axis]), max(high, c[axis])
		}
		return (low + high) / 2, high - low
	}
	cx, width := ends(0)
	cy, height := ends(1)
	half := max(width, height)
	return [2]float64{cx - half, cx + half}, [2]float64{cy - half, cy + half}
}
