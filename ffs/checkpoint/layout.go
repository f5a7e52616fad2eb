package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// The border between PyTorch's layout and ours. A parameter's store path is its detectron2 name
// with "/" for ".". Three rules hold for the elements:
//
//	convolutions (rank 4)           theirs: [out, in/groups, height, width]
//	                                ours:   [height, width, in/groups, out]
//	columns of the layer that       theirs: (channel, row, column)
//	reads pooled features           ours:   (row, column, channel)
//	all else, linear weights too    the same

// flattening is the linear layer whose input is the flattened map of poolSize x poolSize pooled
// features (detectron2's FastRCNNConvFCHead with ROIAlign 7x7).
const (
	flattening = "roi_heads.box_head.fc1.weight"
	poolSize   = 7
)

// ToStore converts a tensor in PyTorch's layout, meant for the parameter of the given detectron2
// name, to ours, and returns the parameter's path in the store. A name or a shape that cannot be
// the parameter's is an error.
func ToStore(name string, t Tensor) (path string, ours Tensor, err error) {
	if name == "" || strings.Contains(name, "/") || slices.Contains(strings.Split(name, "."), "") {
		return "", Tensor{}, fmt.Errorf("%q is not a parameter's name", printable(name))
	}
	path = "/" + strings.ReplaceAll(name, ".", "/")
	ours = t
	switch {
	case name == flattening:
		channels, err := pooledChannels(t.Shape)
		if err != nil {
			return "", Tensor{}, fmt.Errorf("tensor %q: %w", name, err)
		}
		ours = t.split(1, channels, poolSize, poolSize).permute(0, 2, 3, 1).reshaped(t.Shape...)
	case len(t.Shape) == 4:
		ours = t.permute(2, 3, 1, 0)
	}
	ours.Name = path
	return path, ours, nil
}

// FromStore is the inverse of ToStore: it converts the parameter at the given path of the store to
// PyTorch's layout, and returns its detectron2 name.
func FromStore(path string, t Tensor) (name string, theirs Tensor, err error) {
	name = nameOf(path)
	theirs = t
	switch {
	case name == flattening:
		channels, err := pooledChannels(t.Shape)
		if err != nil {
			return "", Tensor{}, fmt.Errorf("parameter %q: %w", path, err)
		}
		theirs = t.split(1, poolSize, poolSize, channels).permute(0, 3, 1, 2).reshaped(t.Shape...)
	case len(t.Shape) == 4:
		theirs = t.permute(3, 2, 0, 1)
	}
	theirs.Name = name
	return name, theirs, nil
}

func nameOf(path string) string { return strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".") }

func pooledChannels(shape []int) (int, error) {
	if len(shape) != 2 || shape[1]%(poolSize*poolSize) != 0 {
		return 0, fmt.Errorf("shape %v does not read %dx%d pooled features", shape, poolSize, poolSize)
	}
	return shape[1] / (poolSize * poolSize), nil
}

// torchShape is the shape that the parameter at path has in PyTorch.
func torchShape(shape []int) []int {
	if len(shape) == 4 {
		return []int{shape[3], shape[2], shape[0], shape[1]}
	}
	return slices.Clone(shape)
}
