package explorer_test

import (
	"context"
	"fmt"
	"image"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"ffslab/viz/explorer"
)

// sample is a point of the plane.
func sample(x, y float64) explorer.Sample {
	return explorer.Sample{Position: []float64{x, y}, NLL: x * x, Energy: -y, Nearest: []int{0}}
}

// fish is a page about one class, with two draws of one method.
func fish() *explorer.Page {
	crop := image.NewGray(image.Rect(0, 0, 8, 8))
	return &explorer.Page{
		Axes: []string{"PC 1", "PC 2"},
		Groups: []explorer.Group{{Name: "fish", Objects: []explorer.Object{
			{Position: []float64{0, 1}, NLL: 2, Energy: 3, Crop: crop, Nearest: []int{1}},
			{Position: []float64{1, 1}, NLL: 3, Energy: 2, Crop: crop, Nearest: []int{0}},
		}}},
		Draws: explorer.Draws{
			Methods:      []explorer.Method{{Name: "flow", Density: "the flow", Samples: [][][]explorer.Sample{{{sample(1, 2), sample(2, 1)}}}}},
			Temperatures: []float64{1}, Seeds: []uint64{0}, Drawn: 2, Selected: 1,
		},
	}
}

func ExamplePage() {
	block, err := fish().HTML()
	fmt.Println(strings.HasPrefix(block, `<figure class="viz-explorer"`), err)
	// Output: true <nil>
}

// What a page can show besides points: a score with its histogram, a plane that the reader chooses
// by name, the image of an object, and the energy between three means.
func ExamplePage_HTML() {
	page := fish()
	page.Columns = []explorer.Column{{Name: "knn", Score: true}}
	page.Planes = []explorer.Plane{{Name: "energy and kNN", X: "energy", Y: "knn"}}
	page.Pictures = []explorer.Picture{explorer.NewPicture(image.NewGray(image.Rect(0, 0, 64, 48)))}
	for i := range page.Groups[0].Objects {
		o := &page.Groups[0].Objects[i]
		o.Values, o.Source, o.Box = []float64{-0.5}, "aquarium 7.jpg", [4]float64{8, 8, 24, 24}
	}
	page.Surfaces = []explorer.Surface{{
		Corners: [3]explorer.Corner{{Name: "fish", X: 0, Y: 0, Energy: 3}, {Name: "shark", X: 1, Y: 0, Energy: 2}, {Name: "ray", X: 0, Y: 1, Energy: 1}},
		X:       [2]float64{-1, 2}, Y: [2]float64{-1, 2}, Z: [][]float64{{3, 2}, {1, 0}},
	}}
	block, err := page.HTML()
	fmt.Println(block != "", err)
	page.Planes[0].Y = "mahalanobis"
	_, err = page.HTML()
	fmt.Println(err)
	// Output:
	// true <nil>
	// explorer: plane "energy and kNN": there is no axis or column "mahalanobis"
}

// A page as a file to send: it needs neither a network nor this program.
func ExamplePage_Save() {
	dir, err := os.MkdirTemp("", "explorer")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fish.html")
	if err := fish().Save(path); err != nil {
		fmt.Println(err)
		return
	}
	page, err := os.ReadFile(path)
	fmt.Println(strings.HasPrefix(string(page), "<!doctype html>"), err)
	// Output: true <nil>
}

// ring is a model that draws one point, as far from the origin as the temperature says.
type ring struct{}

var _ explorer.Source = ring{}

func (ring) Draw(_ context.Context, _ string, n int, temperature float64, _ uint64) ([]explorer.Sample, error) {
	samples := make([]explorer.Sample, n)
	for i := range samples {
		samples[i] = sample(temperature, 0)
	}
	return samples, nil
}

func (ring) Path(_ context.Context, from, to int) (explorer.Path, error) {
	return explorer.Path{}, fmt.Errorf("no path from %d to %d: the model has no latent space", from, to)
}

// A page with its model behind it. Here a program does what the reader's browser does: it asks for
// three draws and ends the page with a selection.
func ExamplePage_Serve() {
	page := fish()
	page.Source = ring{}
	err := page.Serve(context.Background(), func(_, address string) error {
		go read(address)
		return nil
	})
	selected := page.Selection()
	fmt.Println(selected, err)
	fmt.Println("object", selected.Objects, "and of", selected.Drawn, "draws number", selected.Draws)
	// Output:
	// 1 real objects, 2 draws of flow <nil>
	// object [1] and of 3 draws number [0 2]
}

func read(address string) {
	drawn, err := http.Get(address + "draw?method=flow&n=3&temperature=1.5&seed=7")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, drawn.Body)
	drawn.Body.Close()
	selection := `{"objects": [1], "method": "flow", "temperature": 1.5, "seed": 7, "drawn": 3, "draws": [0, 2]}`
	ended, err := http.Post(address+"end", "application/json", strings.NewReader(selection))
	if err != nil {
		fmt.Println(err)
		return
	}
	ended.Body.Close()
}
