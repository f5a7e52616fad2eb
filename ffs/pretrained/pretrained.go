// Package pretrained reads ImageNet classifiers of timm, torchvision and pycls as backbones:
// RegNetX, RegNetY and ResNet-50, 101 and 152. Shapes tell the network apart, names the library,
// and the library what the weights have seen: all three divide by 255 and normalise by the same
// mean and standard deviation (input.pixel_mean and input.pixel_std of the paper's presets). timm
// and torchvision read RGB, pycls BGR as detectors here do: the input channels of an RGB network's
// first convolution are reversed. ResNets of all three have their strides in the 3x3 convolutions.
package pretrained

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
)

// scope is where a detector has the network under its pyramid.
const scope = "backbone.bottom_up."

// The statistics of ImageNet's images, in BGR and units of 0..255.
var (
	pixelMean = []float64{103.53, 116.28, 123.675}
	pixelStd  = []float64{57.375, 57.12, 58.395}
)

// Weights are a classifier's layers up to its head.
type Weights struct {
	// Library is whose names the file has, Network the network's name in timm.
	Library, Network string
	// RGB says that the first convolution's input channels were reversed.
	RGB bool
	// LeftOut are the file's other tensors: the head's.
	LeftOut []string

	file     *checkpoint.File // under detectron2's names
	backbone backbone.Config
	design   backbone.Design // of a RegNet
	excited  bool            // a RegNetY
}

// Recognise returns the classifier in the file, or nil if the file has the names of none. It
// returns an error for a network that is like those and cannot be a backbone here.
func Recognise(file *checkpoint.File) (*Weights, error) {
	l, prefix, err := find(file)
	if err != nil || l == nil {
		return nil, err
	}
	w := &Weights{Library: l.name, RGB: l.rgb, file: &checkpoint.File{Path: file.Path, Format: file.Format}}
	shapes := map[string][]int{}
	for _, t := range file.Tensors {
		name := ""
		if rest, ok := strings.CutPrefix(t.Name, prefix); ok {
			if name, err = l.translate(rest); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", file.Path, l.name, err)
			}
		}
		if name == "" {
			if !strings.HasSuffix(t.Name, ".num_batches_tracked") {
				w.LeftOut = append(w.LeftOut, t.Name)
			}
			continue
		}
		if l.rgb && strings.HasPrefix(name, "stem.") && len(t.Shape) == 4 {
			if t, err = reverseInput(t); err != nil {
				return nil, fmt.Errorf("%s: %w", file.Path, err)
			}
		}
		shapes[name] = t.Shape
		t.Name = scope + name
		w.file.Tensors = append(w.file.Tensors, t)
	}
	if err := w.describe(l.family, shapes); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", file.Path, l.name, err)
	}
	return w, nil
}

// find returns the library whose names the file has, and what stands before them.
func find(file *checkpoint.File) (*library, string, error) {
	for i := range libraries {
		l := &libraries[i]
		var prefixes []string
		for _, t := range file.Tensors {
			prefix, ok := strings.CutSuffix(t.Name, l.mark)
			if ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
				prefixes = append(prefixes, prefix)
			}
		}
		switch {
		case len(prefixes) > 1:
			return nil, "", fmt.Errorf("%s: holds more than one network (%q): save the weights of one alone", file.Path, prefixes)
		case len(prefixes) == 0, strings.HasSuffix(prefixes[0], "bottom_up."): // the latter is a detector
			continue
		}
		stem, ok := file.Tensor(prefixes[0] + l.stemConv + ".weight")
		if !ok || len(stem.Shape) == 4 && stem.Shape[2] == l.stemKernel {
			return l, prefixes[0], nil
		}
	}
	return nil, "", nil
}

// reverseInput returns a convolution's kernel [out, in, height, width] with its input channels in
// the opposite order.
func reverseInput(t checkpoint.Tensor) (checkpoint.Tensor, error) {
	data := slices.Clone(t.Bytes())
	size := len(data) / max(t.Shape[0]*t.Shape[1], 1)
	for out := range t.Shape[0] {
		row := data[out*t.Shape[1]*size:][:t.Shape[1]*size]
		for i, j := 0, t.Shape[1]-1; i < j; i, j = i+1, j-1 {
			for k := range size {
				row[i*size+k], row[j*size+k] = row[j*size+k], row[i*size+k]
			}
		}
	}
	return checkpoint.NewTensor(t.Name, t.DType, t.Shape, data)
}

// describe finds the network's configuration by the shapes of its parameters, which have
// detectron2's names.
func (w *Weights) describe(family string, shapes map[string][]int) error {
	var widths, groups, depths []int
	kernel := func(name string) ([]int, error) {
		shape := shapes[name+".weight"]
		if len(shape) != 4 {
			return nil, fmt.Errorf("not a plain %s: no kernel that is %q in detectron2", family, name)
		}
		return shape, nil
	}
	if family == backbone.ResNet {
		stem, err := kernel("stem.conv1")
		if err != nil {
			return err
		}
		for stage := range 4 {
			depths = append(depths, blocks(shapes, fmt.Sprintf("res%d.", stage+2)))
		}
		depth, ok := backbone.ResNetDepth(depths)
		if !ok {
			return fmt.Errorf("a ResNet of %v blocks; want one of 50, 101 or 152 layers", depths)
		}
		w.Network = fmt.Sprintf("resnet%d", depth)
		w.backbone = backbone.Config{Family: family, StemWidth: stem[0], Depth: depth}
		return nil
	}
	stem, err := kernel("stem.conv")
	if err != nil {
		return err
	}
	for stage := range 4 {
		block := fmt.Sprintf("s%d.b1.", stage+1)
		b, err := kernel(block + "f.b")
		if err != nil {
			return err
		}
		c, err := kernel(block + "f.c")
		if err != nil {
			return err
		}
		if b[0] != c[0] {
			return fmt.Errorf("%q has %d channels of %d: the bottleneck ratio must be 1, as in RegNetX and RegNetY", block+"f.b", b[0], c[0])
		}
		widths, groups = append(widths, c[0]), append(groups, b[1])
		depths = append(depths, blocks(shapes, fmt.Sprintf("s%d.", stage+1)))
	}
	w.design = backbone.Design{Widths: widths, Depths: depths, GroupWidths: groups}
	_, w.excited = shapes["s1.b1.f.se.f_ex.0.weight"]
	w.Network, w.backbone, _ = backbone.Published(w.design, w.excited)
	w.backbone.StemWidth = stem[0]
	return nil
}

func blocks(shapes map[string][]int, stage string) int {
	found := map[string]bool{}
	for name := range shapes {
		if rest, ok := strings.CutPrefix(name, stage); ok {
			block, _, _ := strings.Cut(rest, ".")
			found[block] = true
		}
	}
	return len(found)
}

// Configure returns the configuration with the file's network as model.backbone, at the strides and
// with the frozen batch norm that its weights want, and with the statistics of the pixels that they
// have seen. It keeps model.backbone.freeze_at, and the parameters of a RegNet that has the file's
// design already. It returns an error for a RegNet that is not published and not the
// configuration's.
func (w *Weights) Configure(c config.Config) (config.Config, error) {
	b := w.backbone
	if w.hasDesign(c.Model.Backbone) {
		b = c.Model.Backbone
	} else if b.Family == "" {
		return c, fmt.Errorf("%s: a RegNet with widths %v, depths %v and group widths %v, which is none of the published: "+
			"set model.backbone.depth, w_a, w_0, w_m, group_width and se_ratio to its own", w.file.Path, w.design.Widths, w.design.Depths, w.design.GroupWidths)
	}
	b.Norm, b.FreezeAt = backbone.FrozenBatchNorm, c.Model.Backbone.FreezeAt
	c.Model.Backbone = b
	c.Input.PixelMean, c.Input.PixelStd = slices.Clone(pixelMean), slices.Clone(pixelStd)
	return c, nil
}

// hasDesign reports whether the configuration is of a RegNet as in the file.
func (w *Weights) hasDesign(c backbone.Config) bool {
	design, err := c.Design()
	return err == nil && len(w.design.Depths) > 0 && design.Equal(w.design) && w.excited == (c.SERatio > 0)
}

// Load sets the backbone's parameters in the store of a detector. It returns an error, which lists
// what was expected and what was found, unless the file has every one of them and no other.
func (w *Weights) Load(store *model.Store) (checkpoint.Report, error) {
	report, err := checkpoint.LoadInto(store, w.file)
	if err != nil {
		return checkpoint.Report{}, err
	}
	var wrong []string
	for _, m := range report.WrongShape {
		wrong = append(wrong, fmt.Sprintf("%s of shape %v, want %v", strings.TrimPrefix(m.File, scope), m.FileShape, m.ModelShape))
	}
	for _, name := range report.Missing {
		if rest, ok := strings.CutPrefix(name, scope); ok {
			wrong = append(wrong, "missing "+rest)
		}
	}
	for _, name := range report.LeftOut {
		wrong = append(wrong, "unknown "+strings.TrimPrefix(name, scope))
	}
	if len(wrong) == 0 {
		report.LeftOut = w.LeftOut
		return report, nil
	}
	const shown = 5
	n := len(wrong)
	if n > shown {
		wrong = append(wrong[:shown], "...")
	}
	return checkpoint.Report{}, fmt.Errorf("%s: not the configuration's backbone: %d of %d parameters fit; under detectron2's names: %s",
		w.file.Path, len(report.Loaded), len(report.Loaded)+n, strings.Join(wrong, "; "))
}

// String says what the file is, in one line.
func (w *Weights) String() string {
	network, order := w.Network, "BGR"
	if network == "" {
		network = "a RegNet"
	}
	if w.RGB {
		order = "RGB, its first convolution reversed to BGR"
	}
	return fmt.Sprintf("%s under the names of %s (%s)", network, w.Library, order)
}
