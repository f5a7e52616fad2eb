package explorer

import (
	"fmt"
	"image"
	"slices"

	"ffslab/viz"
)

// payload is what the page's script reads.
type payload struct {
	NLL      bool          `json:"nll"` // whether objects have one
	Axes     []string      `json:"axes"`
	Groups   []groupData   `json:"groups"`
	Objects  points        `json:"objects"`
	Labels   []string      `json:"labels"` // of objects
	Crops    sheet         `json:"crops"`
	Draws    drawsData     `json:"draws"`
	Paths    pathsData     `json:"paths"`
	Surfaces []surfaceData `json:"surfaces"`
	Colors   colors        `json:"colors"`
}

type groupData struct {
	Name    string `json:"name"`
	Unknown bool   `json:"unknown"`
	Count   int    `json:"count"`
	Color   string `json:"color"`
	Shape   string `json:"shape"`
}

type colors struct {
	Drawn    string `json:"drawn"`
	Selected string `json:"selected"`
	Path     string `json:"path"`
}

// points are many samples, one column for each of their numbers.
type points struct {
	At        []column `json:"at"`
	NLL       column   `json:"nll"`
	Energy    column   `json:"energy"`
	Near      string   `json:"near"`      // words, as many a point as Neighbour
	Neighbour int      `json:"neighbour"` // number of nearest objects a point
}

type drawsData struct {
	Methods      []methodData `json:"methods"`
	Temperatures []float64    `json:"temperatures"`
	Seeds        []uint64     `json:"seeds"`
	Number       int          `json:"number"`
	Drawn        int          `json:"drawn"`
	Selected     int          `json:"selected"`
}

type methodData struct {
	Name    string `json:"name"`
	Density string `json:"density"`
	Own     bool   `json:"own"`
	All     bool   `json:"all"`
	Points  points `json:"points"`
}

type pathsData struct {
	Ends     [][2]int `json:"ends"`
	Steps    int      `json:"steps"`
	Points   points   `json:"points"`
	Straight column   `json:"straight"`
}

type surfaceData struct {
	Corners [3]Corner  `json:"corners"`
	X       [2]float64 `json:"x"`
	Y       [2]float64 `json:"y"`
	Number  int        `json:"number"`
	Z       column     `json:"z"`
}

// Colours and shapes of groups: no two of the first twelve known classes share both, and no class looks like unknown objects or outliers.
var (
	knownColors   = []viz.Color{viz.Blue, viz.Green, viz.Sky}
	knownShapes   = []string{"circle", "triangle", "square", "diamond"}
	unknownColors = []viz.Color{viz.UnknownColor, viz.Purple, viz.Black}
	unknownShapes = []string{"cross", "plus"}
)

// payload packs the page's data. It fails for what check finds and for numbers that are not finite.
func (p *Page) payload() (*payload, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	out := &payload{NLL: !p.WithoutNLL, Axes: p.Axes, Colors: colors{Drawn: viz.Grey.Hex(), Selected: viz.SyntheticColor.Hex(), Path: viz.Black.Hex()}}
	var objects []Sample
	var crops []image.Image
	known, unknown := 0, 0
	for _, g := range p.Groups {
		head := groupData{Name: g.Name, Unknown: g.Unknown, Count: len(g.Objects)}
		if g.Unknown {
			head.Color, head.Shape = unknownColors[unknown%len(unknownColors)].Hex(), unknownShapes[unknown%len(unknownShapes)]
			unknown++
		} else {
			head.Color, head.Shape = knownColors[known%len(knownColors)].Hex(), knownShapes[known%len(knownShapes)]
			known++
		}
		out.Groups = append(out.Groups, head)
		for _, o := range g.Objects {
			out.Labels = append(out.Labels, o.Label)
			objects, crops = append(objects, Sample{Position: o.Position, NLL: o.NLL, Energy: o.Energy}), append(crops, o.Crop)
		}
	}
	var err error
	if out.Objects, err = packPoints("objects", objects, len(p.Axes)); err != nil {
		return nil, err
	}
	if out.Crops, err = newSheet(crops); err != nil {
		return nil, err
	}
	out.Draws = drawsData{
		Temperatures: p.Draws.Temperatures, Seeds: p.Draws.Seeds, Number: p.Draws.number(), Drawn: p.Draws.Drawn, Selected: p.Draws.Selected,
	}
	for _, m := range p.Draws.Methods {
		samples := slices.Concat(slices.Concat(m.Samples...)...)
		packed, err := packPoints("method "+m.Name, samples, len(p.Axes))
		if err != nil {
			return nil, err
		}
		out.Draws.Methods = append(out.Draws.Methods, methodData{m.Name, m.Density, m.Own, m.All, packed})
	}
	if out.Paths, err = packPaths(p.Paths, len(p.Axes)); err != nil {
		return nil, err
	}
	for i, s := range p.Surfaces {
		z, err := pack(fmt.Sprintf("surface %d", i), slices.Concat(s.Z...))
		if err != nil {
			return nil, err
		}
		out.Surfaces = append(out.Surfaces, surfaceData{s.Corners, s.X, s.Y, len(s.Z), z})
	}
	return out, nil
}

func packPaths(paths []Path, axes int) (pathsData, error) {
	var out pathsData
	var steps []Sample
	var straight []float64
	for _, path := range paths {
		out.Ends, out.Steps = append(out.Ends, [2]int{path.From, path.To}), len(path.Steps)
		steps, straight = append(steps, path.Steps...), append(straight, path.Straight...)
	}
	var err error
	if out.Points, err = packPoints("paths", steps, axes); err != nil {
		return out, err
	}
	out.Straight, err = pack("straight paths", straight)
	return out, err
}

func packPoints(what string, samples []Sample, axes int) (points, error) {
	var p points
	numbers := make([]float64, len(samples))
	take := func(what string, of func(Sample) float64) (column, error) {
		for i, s := range samples {
			numbers[i] = of(s)
		}
		return pack(what, numbers)
	}
	for axis := range axes {
		c, err := take(what+": positions", func(s Sample) float64 { return s.Position[axis] })
		if err != nil {
			return p, err
		}
		p.At = append(p.At, c)
	}
	var err error
	if p.NLL, err = take(what+": NLL", func(s Sample) float64 { return s.NLL }); err != nil {
		return p, err
	}
	if p.Energy, err = take(what+": energy", func(s Sample) float64 { return s.Energy }); err != nil {
		return p, err
	}
	var nearest []int
	for _, s := range samples {
		nearest, p.Neighbour = append(nearest, s.Nearest...), len(s.Nearest)
	}
	p.Near = packIndices(nearest)
	return p, nil
}
