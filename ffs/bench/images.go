package bench

import (
	"fmt"
	"math/rand/v2"

	"ffslab/data"
)

// images is a set of n pictures of noise that fill the canvas, with three objects each.
func images(o Options, n int) *data.Dataset {
	set := &data.Dataset{Name: "noise"}
	for i, name := range o.Config.Model.Classes {
		set.Categories = append(set.Categories, data.Category{ID: data.ID(i + 1), Name: name})
	}
	noise := rand.NewChaCha8([32]byte{})
	for i := range n {
		pixels := data.NewPixels(o.Height, o.Width)
		noise.Read(pixels.Data)
		set.Images = append(set.Images, data.Image{
			ID: data.ID(i + 1), File: fmt.Sprintf("noise %d", i), Width: o.Width, Height: o.Height, Instances: objects(o),
			Render: func() (*data.Pixels, error) { return pixels, nil },
		})
	}
	return set
}

// objects are the three of the PyTorch baseline, with the whole scene made smaller where the canvas
// does not hold it.
func objects(o Options) []data.Instance {
	scale := min(1, float64(o.Width)/260, float64(o.Height)/240)
	var found []data.Instance
	for i, b := range [][4]float64{{20, 30, 120, 160}, {100, 80, 260, 240}, {10, 10, 60, 60}} {
		for j := range b {
			b[j] *= scale
		}
		found = append(found, data.Instance{Box: b, Category: i % len(o.Config.Model.Classes), Area: (b[2] - b[0]) * (b[3] - b[1])})
	}
	return found
}
