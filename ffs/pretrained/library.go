package pretrained

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ffslab/ffs/backbone"
)

// library is how one program names the layers of one family of networks.
type library struct {
	name, family string
	// rgb says that the first convolution reads red, green, blue.
	rgb bool
	// mark is the name of a parameter that every network of the family has, and no other library.
	mark string
	// stemConv is the stem's convolution, stemKernel its side, by which pycls's families differ.
	stemConv   string
	stemKernel int
	// stem maps layers of the stem to detectron2's names.
	stem map[string]string
	// block matches a layer within a block: stage (from 1), block (from firstBlock), layer.
	block      *regexp.Regexp
	firstBlock int
	// layers maps layers of a block to detectron2's names.
	layers map[string]string
}

var libraries = []library{
	{
		name: "timm", family: backbone.RegNet, rgb: true, mark: "s1.b1.conv1.conv.weight",
		stemConv: "stem.conv", stemKernel: 3,
		stem:  map[string]string{"stem.conv": "stem.conv", "stem.bn": "stem.bn"},
		block: regexp.MustCompile(`^s([1-4])\.b(\d+)\.(.+)$`), firstBlock: 1,
		layers: map[string]string{
			"conv1.conv": "f.a", "conv1.bn": "f.a_bn", "conv2.conv": "f.b", "conv2.bn": "f.b_bn",
			"conv3.conv": "f.c", "conv3.bn": "f.c_bn", "se.fc1": "f.se.f_ex.0", "se.fc2": "f.se.f_ex.2",
			"downsample.conv": "proj", "downsample.bn": "bn",
		},
	},
	{
		name: "torchvision", family: backbone.RegNet, rgb: true, mark: "trunk_output.block1.block1-0.f.a.0.weight",
		stemConv: "stem.0", stemKernel: 3,
		stem:  map[string]string{"stem.0": "stem.conv", "stem.1": "stem.bn"},
		block: regexp.MustCompile(`^trunk_output\.block([1-4])\.block[1-4]-(\d+)\.(.+)$`), firstBlock: 0,
		layers: map[string]string{
			"f.a.0": "f.a", "f.a.1": "f.a_bn", "f.b.0": "f.b", "f.b.1": "f.b_bn",
			"f.c.0": "f.c", "f.c.1": "f.c_bn", "f.se.fc1": "f.se.f_ex.0", "f.se.fc2": "f.se.f_ex.2",
			"proj.0": "proj", "proj.1": "bn",
		},
	},
	{
		name: "torchvision or timm", family: backbone.ResNet, rgb: true, mark: "layer1.0.conv1.weight",
		stemConv: "conv1", stemKernel: 7,
		stem:  map[string]string{"conv1": "stem.conv1", "bn1": "stem.conv1.norm"},
		block: regexp.MustCompile(`^layer([1-4])\.(\d+)\.(.+)$`), firstBlock: 0,
		layers: map[string]string{
			"conv1": "conv1", "bn1": "conv1.norm", "conv2": "conv2", "bn2": "conv2.norm",
			"conv3": "conv3", "bn3": "conv3.norm", "downsample.0": "shortcut", "downsample.1": "shortcut.norm",
		},
	},
	// pycls reads images with OpenCV, in BGR. detectron2 has its names of RegNets.
	{
		name: "pycls or detectron2", family: backbone.RegNet, mark: "s1.b1.f.a.weight",
		stemConv: "stem.conv", stemKernel: 3,
		stem:  map[string]string{"stem.conv": "stem.conv", "stem.bn": "stem.bn"},
		block: regexp.MustCompile(`^s([1-4])\.b(\d+)\.(.+)$`), firstBlock: 1,
		layers: map[string]string{
			"f.a": "f.a", "f.a_bn": "f.a_bn", "f.b": "f.b", "f.b_bn": "f.b_bn", "f.c": "f.c", "f.c_bn": "f.c_bn",
			"f.se.f_ex.0": "f.se.f_ex.0", "f.se.f_ex.2": "f.se.f_ex.2", "proj": "proj", "bn": "bn",
		},
	},
	{
		name: "pycls", family: backbone.ResNet, mark: "s1.b1.f.a.weight",
		stemConv: "stem.conv", stemKernel: 7,
		stem:  map[string]string{"stem.conv": "stem.conv1", "stem.bn": "stem.conv1.norm"},
		block: regexp.MustCompile(`^s([1-4])\.b(\d+)\.(.+)$`), firstBlock: 1,
		layers: map[string]string{
			"f.a": "conv1", "f.a_bn": "conv1.norm", "f.b": "conv2", "f.b_bn": "conv2.norm",
			"f.c": "conv3", "f.c_bn": "conv3.norm", "proj": "shortcut", "bn": "shortcut.norm",
		},
	},
}

// translate returns detectron2's name of a parameter, "" for one outside of the stem and the
// stages, and an error for a layer that a block of the family does not have.
func (l library) translate(name string) (string, error) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "", nil
	}
	layer, parameter := name[:dot], name[dot:]
	if parameter == ".num_batches_tracked" { // no part of the network's function
		return "", nil
	}
	if ours, ok := l.stem[layer]; ok {
		return ours + parameter, nil
	}
	m := l.block.FindStringSubmatch(layer)
	if m == nil {
		return "", nil
	}
	ours, ok := l.layers[m[3]]
	if !ok {
		return "", fmt.Errorf("layer %q is none of a plain %s's: want %s in a block", layer, l.family,
			strings.Join(slices.Sorted(maps.Keys(l.layers)), ", "))
	}
	stage := int(m[1][0] - '0')
	block, err := strconv.Atoi(m[2])
	if err != nil {
		return "", fmt.Errorf("layer %q: %w", layer, err)
	}
	block -= l.firstBlock
	if l.family == backbone.ResNet {
		return fmt.Sprintf("res%d.%d.%s%s", stage+1, block, ours, parameter), nil
	}
	return fmt.Sprintf("s%d.b%d.%s%s", stage, block+1, ours, parameter), nil
}
