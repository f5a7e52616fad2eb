// Package tiny provides the smallest complete detector, and images that it can learn, for tests.
package tiny

import (
	"fmt"
	"slices"

	"ffslab/data"
	"ffslab/ffs/config"
)

// Side is the height and width of every image in pixels.
const Side = 64

// Config returns the preset digits shrunk to two classes, red and blue, 16 box features and 64x64
// images. settings are applied last.
func Config(settings ...string) (config.Config, error) {
	return config.Load("digits", append([]string{
		"model.classes=[red, blue]", "model.backbone.stem_width=8", "model.backbone.depth=4", "model.backbone.w_0=8", "model.backbone.w_a=12.5",
		"model.fpn_channels=16", "model.rpn.batch_per_image=32", "model.rpn.pre_nms_train=40", "model.rpn.post_nms_train=40",
		"model.roi.batch_per_image=16", "model.roi.fc_dim=16", "model.flow.hidden=16", "model.outlier.sample_from=20", "model.outlier.start_iter=3",
		"input.canvases=[[64, 64]]", "input.min_size_train=[64]", "input.max_size_train=64", "input.min_size_test=64", "input.max_size_test=64",
		"input.max_boxes=2", "train.images_per_step=2", "train.warmup_iters=4", "train.checkpoint_every=2", "train.max_iter=8", "train.steps=[6]",
	}, settings...)...)
}

// colours are the channels of the squares, blue first.
var colours = []string{"blue", "green", "red"}

// Squares returns a set of n images with one square each on black. The given classes, each a colour
// (blue, green, red), alternate. Ids count from 1.
func Squares(name string, n int, classes ...string) *data.Dataset {
	set := &data.Dataset{Name: name}
	for i, class := range classes {
		set.Categories = append(set.Categories, data.Category{ID: data.ID(i + 1), Name: class})
	}
	for i := range n {
		x, y, side, class := 4+7*(i%4), 8+5*(i%5), 20+4*(i%3), i%len(classes)
		channel := slices.Index(colours, classes[class])
		set.Images = append(set.Images, data.Image{
			ID: data.ID(i + 1), File: fmt.Sprintf("%s %d", name, i), Width: Side, Height: Side,
			Instances: []data.Instance{{
				Box: [4]float64{float64(x), float64(y), float64(x + side), float64(y + side)}, Category: class, Area: float64(side * side),
			}},
			Render: func() (*data.Pixels, error) {
				p := data.NewPixels(Side, Side)
				for row := y; row < y+side; row++ {
					for column := x; column < x+side; column++ {
						p.Data[(row*Side+column)*3+channel] = 255
					}
				}
				return p, nil
			},
		})
	}
	return set
}

// Empty returns a black image without objects.
func Empty() data.Image {
	return data.Image{
		File: "empty", Width: Side, Height: Side,
		Render: func() (*data.Pixels, error) { return data.NewPixels(Side, Side), nil },
	}
}
