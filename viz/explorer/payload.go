package explorer

import (
	"fmt"
	"image"
	"math"
	"slices"

	"ffslab/viz"
)

// payload is what the page's script reads.
type payload struct {
	NLL      bool          `json:"nll"` // whether objects have one
	Axes     int           `json:"axes"`
	Columns  []columnData  `json:"columns"` // axes, energy, NLL, the page's own
	Planes   []Plane       `json:"planes"`
	Groups   []groupData   `json:"groups"`
	Objects  points        `json:"objects"`
	About    []aboutObject `json:"about"`
	Crops    sheet         `json:"crops"`
	Pictures []pictureData `json:"pictures"`
	Draws    drawsData     `json:"draws"`
	Paths    pathsData     `json:"paths"`
	Surfaces []surfaceData `json:"surfaces"`
	Colors   colors        `json:"colors"`
	Live     string        `json:"live"` // address of the process that serves the page; empty: none
	MaxDraws int           `json:"maxDraws"`
}

type columnData struct {
	Name string `json:"name"`
	// Inlier is 1 if higher is more inlier, -1 if it is more outlier, 0 for a coordinate.
	Inlier int `json:"inlier"`
}

type groupData struct {
	Name    string `json:"name"`
	Unknown bool   `json:"unknown"`
	Count   int    `json:"count"`
	Color   string `json:"color"`
	Shape   string `json:"shape"`
	Other   bool   `json:"other"` // is shown with other classes as one
}

type aboutObject struct {
	Label   string     `json:"label"`
	Source  string     `json:"source"`
	Picture int        `json:"picture"`
	Box     [4]float64 `json:"box"`
}

type colors struct {
	Drawn    string `json:"drawn"`
	Selected string `json:"selected"`
	Other    string `json:"other"`
}

// points are many objects or samples, one list of numbers for each of the page's columns.
type points struct {
	Number    int      `json:"number"`
	Columns   []string `json:"columns"`
	Near      string   `json:"near"`      // words, as many a point as Neighbours
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
	Straight string   `json:"straight"`
}

type surfaceData struct {
	Corners [3]Corner  `json:"corners"`
	X       [2]float64 `json:"x"`
	Y       [2]float64 `json:"y"`
	Number  int        `json:"number"`
	Z       string     `json:"z"`
}

// ownClasses is the number of known classes that have a colour and a shape of their own: the most
// frequent ones. More hues cannot be told apart.
const ownClasses = 10

// What groups look like: ten hues and ten shapes for known classes, none of them the red of unknown
// objects or the orange of outliers; crossed ones for unknown sets. Shapes are Plotly's symbols.
var (
	knownColors = [ownClasses]string{
		viz.Blue.Hex(), viz.Green.Hex(), viz.Sky.Hex(), "#8c6d31", "#5254a3", "#7f9a1a", "#17a2a2", "#a05195", "#b0a000", "#4c78a8",
	}
	knownShapes = [ownClasses]string{
		"circle", "triangle-up", "square", "diamond", "star", "hexagon", "triangle-down", "pentagon", "bowtie", "triangle-left",
	}
	unknownColors = []viz.Color{viz.UnknownColor, viz.Purple, viz.Black}
	unknownShapes = []string{"cross", "x", "hourglass"}
)

// payload packs the page's data. It fails for what check finds.
func (p *Page) payload() (*payload, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	out := &payload{
		NLL: !p.WithoutNLL, Axes: len(p.Axes), Columns: p.columns(), Planes: p.planes(), Groups: p.groups(), MaxDraws: MaxDraws,
		Colors: colors{Drawn: viz.Grey.Hex(), Selected: viz.SyntheticColor.Hex(), Other: viz.Grey.Hex()},
	}
	var objects []Sample
	var crops []image.Image
	for _, g := range p.Groups {
		for _, o := range g.Objects {
			about := aboutObject{Label: o.Label, Source: o.Source, Picture: o.Picture, Box: o.Box}
			if len(p.Pictures) == 0 {
				about.Picture = -1
			}
			out.About = append(out.About, about)
			objects = append(objects, Sample{Position: o.Position, NLL: o.NLL, Energy: o.Energy, Values: o.Values, Nearest: o.Nearest})
			crops = append(crops, o.Crop)
		}
	}
	out.Objects = p.points(objects)
	var err error
	if out.Crops, err = newSheet(crops); err != nil {
		return nil, err
	}
	if out.Pictures, err = packPictures(p.Pictures); err != nil {
		return nil, err
	}
	d := p.Draws
	out.Draws = drawsData{Temperatures: d.Temperatures, Seeds: d.Seeds, Number: d.number(), Drawn: d.Drawn, Selected: d.Selected}
	for _, m := range d.Methods {
		packed := p.points(slices.Concat(slices.Concat(m.Samples...)...))
		out.Draws.Methods = append(out.Draws.Methods, methodData{m.Name, m.Density, m.Own, m.All, packed})
	}
	out.Paths = p.packPaths(p.Paths)
	for _, s := range p.Surfaces {
		out.Surfaces = append(out.Surfaces, surfaceData{s.Corners, s.X, s.Y, len(s.Z), packFloats(slices.Concat(s.Z...))})
	}
	return out, nil
}

// columns are all numbers of a point in the order in which points writes them.
func (p *Page) columns() []columnData {
	var all []columnData
	for _, name := range p.Axes {
		all = append(all, columnData{name, 0})
	}
	all = append(all, columnData{"energy", 1}, columnData{"NLL", -1})
	for _, c := range p.Columns {
		inlier := 0
		switch {
		case c.Score:
			inlier = 1
		case c.Unlike:
			inlier = -1
		}
		all = append(all, columnData{c.Name, inlier})
	}
	return all
}

func (p *Page) planes() []Plane {
	return append([]Plane{{"principal components", p.Axes[0], p.Axes[1]}}, p.Planes...)
}

func (p *Page) groups() []groupData {
	var known []int
	for i, g := range p.Groups {
		if !g.Unknown {
			known = append(known, i)
		}
	}
	slices.SortStableFunc(known, func(i, j int) int { return len(p.Groups[j].Objects) - len(p.Groups[i].Objects) })
	own := known[:min(ownClasses, len(known))]
	var all []groupData
	unknown, shown := 0, 0
	for i, g := range p.Groups {
		head := groupData{Name: g.Name, Unknown: g.Unknown, Count: len(g.Objects)}
		switch {
		case g.Unknown:
			head.Color, head.Shape = unknownColors[unknown%len(unknownColors)].Hex(), unknownShapes[unknown%len(unknownShapes)]
			unknown++
		case slices.Contains(own, i):
			head.Color, head.Shape = knownColors[shown], knownShapes[shown]
			shown++
		default:
			head.Color, head.Shape, head.Other = viz.Grey.Hex(), "diamond-wide", true
		}
		all = append(all, head)
	}
	return all
}

func (p *Page) packPaths(paths []Path) pathsData {
	var out pathsData
	var steps []Sample
	var straight []float64
	for _, path := range paths {
		out.Ends, out.Steps = append(out.Ends, [2]int{path.From, path.To}), len(path.Steps)
		steps, straight = append(steps, path.Steps...), append(straight, path.Straight...)
	}
	out.Points, out.Straight = p.points(steps), packFloats(straight)
	return out
}

// points writes samples column by column.
func (p *Page) points(samples []Sample) points {
	out := points{Number: len(samples)}
	numbers := make([]float64, len(samples))
	add := func(of func(Sample) float64) {
		for i, s := range samples {
			numbers[i] = of(s)
		}
		out.Columns = append(out.Columns, packFloats(numbers))
	}
	for axis := range p.Axes {
		add(func(s Sample) float64 { return s.Position[axis] })
	}
	add(func(s Sample) float64 { return s.Energy })
	add(func(s Sample) float64 { return s.NLL })
	for i := range p.Columns {
		add(func(s Sample) float64 {
			if s.Values == nil {
				return math.NaN()
			}
			return s.Values[i]
		})
	}
	var nearest []int
	for _, s := range samples {
		nearest, out.Neighbour = append(nearest, s.Nearest...), len(s.Nearest)
	}
	out.Near = packIndices(nearest)
	return out
}

// finite fails for a number that is not.
func finite(where string, numbers ...float64) error {
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("explorer: %s: a position, energy or NLL is %v: leave its feature out", where, v)
		}
	}
	return nil
}
