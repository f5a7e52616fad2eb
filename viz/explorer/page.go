package explorer

import (
	"fmt"
	"image"
	"sync"
)

// Page is what the reader explores. Positions, energies and NLL must be finite.
type Page struct {
	// Axes are the labels of the components that positions have, two or more: "PC 1 (41 % of
	// variance)".
	Axes []string
	// Columns are further numbers of objects and samples, such as post-hoc scores.
	Columns []Column
	// Planes are pairs of axes or columns that the reader can choose by one name, besides the
	// first two axes.
	Planes []Plane
	// Groups are real objects: those of a known class, or of a set of unknown ones.
	Groups []Group
	// Pictures are the images that objects lie in; none: objects have no whole picture.
	Pictures []Picture
	// Draws are synthetic features.
	Draws Draws
	// Paths lead between pairs of objects; none: no such view.
	Paths []Path
	// Surfaces are energies over planes; none: no such view.
	Surfaces []Surface
	// WithoutNLL says that the objects have no NLL: the detector has no flow.
	WithoutNLL bool
	// Caption is shown under the page.
	Caption string

	// Plotly is the text of plotly.min.js, which draws. Without it the page says what is missing,
	// and Remedy, one sentence.
	Plotly []byte
	Remedy string

	// Source computes what the page does not hold; nil: it cannot be served live.
	Source Source

	mu        sync.Mutex
	selection Selection
}

// Column is a number that every object and every sample may have.
type Column struct {
	Name string
	// Score says that the column tells known from unknown objects: higher is more inlier.
	Score bool
	// Unlike says that it does so the other way round: higher is more outlier.
	Unlike bool
}

// Plane is a pair of axes or columns by their names; "energy" and "NLL" are names, too.
type Plane struct{ Name, X, Y string }

// Group is a class of real objects, or a set of unknown ones.
type Group struct {
	Name    string
	Unknown bool
	Objects []Object
}

// Object is the feature of a real object, and its picture.
type Object struct {
	// Label is its class, where its group is a set; empty: that of its group.
	Label string
	// Position has as many components as the page has axes.
	Position    []float64
	NLL, Energy float64
	// Values has as many numbers as the page has columns; NaN stands for one that is not known.
	Values []float64
	// Nearest are the other objects with the nearest features, as those of a [Sample].
	Nearest []int
	Crop    image.Image
	// Source names the image for exports, such as "digits:val 12.png". Picture is its place in
	// the page's pictures, -1 for none, and Box the object's x0, y0, x1, y1 there in pixels.
	Source  string
	Picture int
	Box     [4]float64
}

// Draws are synthetic features on a grid of methods, temperatures and seeds.
type Draws struct {
	Methods      []Method
	Temperatures []float64 // ascending
	Seeds        []uint64
	// Drawn and Selected are what the page starts with: of so many draws the least likely so many.
	// It starts with the temperature nearest to 1.
	Drawn, Selected int
}

// Method is a way of making synthetic features.
type Method struct {
	Name string
	// Density names the model that NLL refers to, such as "the flow", empty if there is none; Own
	// says that it is another one than that of the objects' NLL.
	Density string
	Own     bool
	// All says that the method keeps all that it draws, whatever its likelihood.
	All bool
	// Samples [temperature][seed] are equally many draws, in their order: the first n of them are a
	// draw of n.
	Samples [][][]Sample
}

// Sample is a synthetic feature.
type Sample struct {
	Position    []float64
	NLL, Energy float64
	// Values are as those of an [Object]; nil: none is known.
	Values []float64
	// Nearest are the real objects with the nearest features, nearest first, counted through all
	// groups; equally many for all samples and objects of a page.
	Nearest []int
}

// Path is the way between two objects.
type Path struct {
	From, To int // objects, counted through all groups
	// Steps lead from the one to the other; equally many for all paths.
	Steps []Sample
	// Straight are the energies along the straight line between the two features, as many as Steps.
	Straight []float64
}

// Surface is the energy over the plane through three features.
type Surface struct {
	Corners [3]Corner
	// X and Y are the ends of the axes, in the units of the features; the plane has the same scale
	// along both.
	X, Y [2]float64
	// Z [rows][columns] are the energies on an evenly spaced grid that reaches from end to end,
	// equally many rows as columns.
	Z [][]float64
}

// Corner is a feature that a surface goes through.
type Corner struct {
	Name         string
	X, Y, Energy float64
}

// Selection is what a reader has selected on a page: as its Go export writes it, and as
// [Page.Selection] returns it.
type Selection struct {
	// Objects are real objects, counted through all groups of the page, ascending.
	Objects []int `json:"objects"`
	// Draws are places in a draw of Drawn samples by the method at the temperature with the seed,
	// ascending.
	Method      string  `json:"method"`
	Temperature float64 `json:"temperature"`
	Seed        uint64  `json:"seed"`
	Drawn       int     `json:"drawn"`
	Draws       []int   `json:"draws"`
}

// String says how much is selected: "2 real objects, 15 draws of flow".
func (s Selection) String() string {
	text := fmt.Sprintf("%d real objects, %d draws", len(s.Objects), len(s.Draws))
	if len(s.Draws) > 0 {
		text += " of " + s.Method
	}
	return text
}

// Selection returns what the reader of a page that is served live ([Page.Serve]) has selected last.
func (p *Page) Selection() Selection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.selection
}
