package viz

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"math"
	"slices"

	"github.com/janpfeifer/gonb/gonbui"
	"gonum.org/v1/gonum/stat"
)

// Cloud is some points in the axes of an [Explorer], with what is known of each.
type Cloud struct {
	Points [][]float64 // [n][axes]
	// NLL and Energy are in nats, [n].
	NLL, Energy []float64
	// Labels are shown under the pointer, [n]; nil: none.
	Labels []string
	// Near are the places in Explorer.Crops of the pictures that resemble a point, the nearest first, [n][any]; nil: none.
	Near [][]int
}

// RealCloud is a group of real objects.
type RealCloud struct {
	Name  string
	Color Color
	Cloud
}

// Draw is what a method of synthesis has drawn at one temperature with one seed, in the order of the draws.
type Draw struct {
	Method string
	// Temperature is that of the latents; 0 stands for a method that has none.
	Temperature float64
	Seed        int
	// All says that the method keeps all that it has drawn, whatever its likelihood.
	All bool
	Cloud
}

// Thumbnail is a small picture of an object.
type Thumbnail struct {
	Label   string
	Picture image.Image
}

// Path is a way between two objects through the latents.
type Path struct {
	Name string
	// From and To are the places in Explorer.Crops of its ends.
	From, To int
	Cloud    // its points in order
}

// Explorer is a page in which a reader looks for outliers: by method, temperature, seed, number of draws, how many of the least likely are
// selected (or from which quantile of the inliers' NLL on), in any two of the axes. The page holds everything that it shows, and so works without a
// kernel, from a file and without a network; it draws within milliseconds.
type Explorer struct {
	Axes []string
	// Real are the groups, the inliers first.
	Real []RealCloud
	// Inliers are, for each method, the NLL of inliers under its own density, which quantiles refer to.
	Inliers map[string][]float64
	Draws   []Draw
	Crops   []Thumbnail
	Paths   []Path
	// Select is how many are selected at the start.
	Select int
}

// Show puts the explorer into the output of the current notebook cell. Outside a GoNB cell it does nothing and returns [ErrNoNotebook]; it
// fails as HTML does.
func (e *Explorer) Show() error {
	if !gonbui.IsNotebook {
		return ErrNoNotebook
	}
	block, err := e.HTML("viz_explorer_" + gonbui.UniqueId())
	if err != nil {
		return err
	}
	gonbui.DisplayHTML(block)
	gonbui.Sync()
	return gonbui.Error()
}

//go:embed explorer.html
var explorerPage string

//go:embed explorer.js
var explorerScript string

var explorerTemplate = template.Must(template.New("explorer").Parse(explorerPage))

// layout is what the page is told beside the numbers; places count float32 in them.
type explorerLayout struct {
	Axes   []string        `json:"axes"`
	Real   []explorerCloud `json:"real"`
	Draws  []explorerCloud `json:"draws"`
	Paths  []explorerCloud `json:"paths"`
	Crops  []explorerCrop  `json:"crops"`
	Select int             `json:"select"`
	// Quantiles are, for each method, those of its inliers' NLL, in hundredths from 0 on.
	Quantiles map[string][]float64 `json:"quantiles"`
}

type explorerCloud struct {
	Name        string   `json:"name,omitempty"`
	Color       string   `json:"color,omitempty"`
	Temperature float64  `json:"temperature"`
	Seed        int      `json:"seed"`
	All         bool     `json:"all,omitempty"`
	N           int      `json:"n"`
	At          int      `json:"at"` // [n][axes], then NLL [n] and energy [n]
	Labels      []string `json:"labels,omitempty"`
	Near        [][]int  `json:"near,omitempty"`
	From        int      `json:"from"`
	To          int      `json:"to"`
}

type explorerCrop struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// HTML returns the explorer as a block of HTML that needs nothing else; id is a name that no other element of the page has. It fails for no axis
// pair, no group, no draw, and for clouds of unequal lengths or with numbers that are not finite.
func (e *Explorer) HTML(id string) (string, error) {
	if len(e.Axes) < 2 || len(e.Real) == 0 || len(e.Draws) == 0 {
		return "", fmt.Errorf("viz: explorer: %d axes, %d groups, %d draws: give at least two axes, a group and a draw", len(e.Axes), len(e.Real), len(e.Draws))
	}
	layout := explorerLayout{Axes: e.Axes, Select: max(1, e.Select), Quantiles: map[string][]float64{}}
	var numbers []float32
	pack := func(name string, c Cloud) (explorerCloud, error) {
		packed := explorerCloud{Name: name, N: len(c.Points), At: len(numbers), Labels: c.Labels, Near: c.Near}
		if err := e.check(c); err != nil {
			return packed, fmt.Errorf("viz: explorer: %s: %w", name, err)
		}
		for _, p := range c.Points {
			for _, v := range p {
				numbers = append(numbers, float32(v))
			}
		}
		for _, values := range [][]float64{c.NLL, c.Energy} {
			for _, v := range values {
				numbers = append(numbers, float32(v))
			}
		}
		return packed, nil
	}
	for i, g := range e.Real {
		packed, err := pack(g.Name, g.Cloud)
		if err != nil {
			return "", err
		}
		packed.Color = cssColor(g.Color, i)
		layout.Real = append(layout.Real, packed)
	}
	for _, d := range e.Draws {
		packed, err := pack(d.Method, d.Cloud)
		if err != nil {
			return "", err
		}
		packed.Temperature, packed.Seed, packed.All = d.Temperature, d.Seed, d.All
		if layout.Quantiles[d.Method] == nil {
			if layout.Quantiles[d.Method] = hundredths(e.Inliers[d.Method]); layout.Quantiles[d.Method] == nil {
				return "", fmt.Errorf("viz: explorer: %s: no NLL of inliers is given, or one is not finite", d.Method)
			}
		}
		layout.Draws = append(layout.Draws, packed)
	}
	for _, p := range e.Paths {
		packed, err := pack(p.Name, p.Cloud)
		if err != nil {
			return "", err
		}
		packed.From, packed.To = p.From, p.To
		layout.Paths = append(layout.Paths, packed)
	}
	for _, c := range e.Crops {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, c.Picture, &jpeg.Options{Quality: 80}); err != nil {
			return "", fmt.Errorf("viz: explorer: crop of %s: %w", c.Label, err)
		}
		layout.Crops = append(layout.Crops, explorerCrop{c.Label, "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(file.Bytes())})
	}
	text, err := json.Marshal(layout)
	if err != nil {
		return "", err
	}
	raw := make([]byte, 0, 4*len(numbers))
	for _, v := range numbers {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	var page bytes.Buffer
	err = explorerTemplate.Execute(&page, map[string]any{
		"ID": id, "Synthetic": cssColor(SyntheticColor, 0), "Numbers": base64.StdEncoding.EncodeToString(raw),
		// JSON that json.Marshal has made cannot end the script element: it escapes <, > and &.
		"Layout": template.JS(text), "Script": template.JS(explorerScript),
	})
	return page.String(), err
}

// hundredths are the quantiles of values at 0, 0.01, ... 1; nil for none, and where one is not finite.
func hundredths(values []float64) []float64 {
	if len(values) == 0 || slices.ContainsFunc(values, func(v float64) bool { return !isFinite(v) }) {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, 101)
	for i := range out {
		out[i] = stat.Quantile(float64(i)/100, stat.Empirical, sorted, nil)
	}
	return out
}

func (e *Explorer) check(c Cloud) error {
	n := len(c.Points)
	if n == 0 {
		return errors.New("there is no point")
	}
	if len(c.NLL) != n || len(c.Energy) != n || c.Labels != nil && len(c.Labels) != n || c.Near != nil && len(c.Near) != n {
		return fmt.Errorf("%d points, %d NLL, %d energies, %d labels, %d lists of crops: give one of each a point", n, len(c.NLL), len(c.Energy), len(c.Labels), len(c.Near))
	}
	for i, p := range c.Points {
		if len(p) != len(e.Axes) {
			return fmt.Errorf("point %d has %d coordinates, but there are %d axes", i, len(p), len(e.Axes))
		}
		for _, v := range append([]float64{c.NLL[i], c.Energy[i]}, p...) {
			if !isFinite(v) {
				return fmt.Errorf("point %d has a number that is not finite: leave it out", i)
			}
		}
	}
	for i, near := range c.Near {
		for _, crop := range near {
			if crop < 0 || crop >= len(e.Crops) {
				return fmt.Errorf("point %d resembles crop %d, but there are %d", i, crop, len(e.Crops))
			}
		}
	}
	return nil
}

func cssColor(c Color, i int) string {
	r := c.resolve(i)
	return fmt.Sprintf("#%02x%02x%02x", r.R, r.G, r.B)
}
