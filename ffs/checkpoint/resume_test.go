package checkpoint

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// A checkpoint of detectron2 as its pieces: three parameters, of which the second is frozen and the
// third has been moved.
func trainingCheckpoint() (*File, *model.Store) {
	f := &File{
		Tensors: []Tensor{
			tensorOf("roi_heads.box_head.fc1.weight", []float32{1, 2, 3, 4, 5, 6}, 2, 3),
			tensorOf("roi_heads.box_head.fc1.bias", []float32{7, 8}, 2),
			tensorOf("roi_heads.weight_energy.bias", []float32{0}, 1),
			tensorOf("roi_heads.box_head.fc2.bias", []float32{9, 10}, 2),
		},
		Values: map[string]any{"iteration": int64(23999)},
		sgd:    sgdState{parameters: []int64{4, 5, 6}, momenta: map[int64]Tensor{6: tensorOf("m", []float32{0.5, 0.25}, 2)}},
	}
	store := model.NewStore()
	for path, trainable := range map[string]bool{"/roi_heads/box_head/fc1/weight": true, "/roi_heads/box_head/fc1/bias": false, "/roi_heads/box_head/fc2/bias": true} {
		shape := []int{2}
		if strings.HasSuffix(path, "weight") {
			shape = []int{2, 3}
		}
		size := 1
		for _, d := range shape {
			size *= d
		}
		v, err := store.CreateVariable(path, tensors.FromFlatDataAndDimensions(make([]float32, size), shape...))
		if err != nil {
			panic(err)
		}
		v.SetTrainable(trainable)
	}
	return f, store
}

func TestLoadMomenta(t *testing.T) {
	f, store := trainingCheckpoint()
	if steps, ok := f.Iteration(); !ok || steps != 24000 {
		t.Errorf("%d steps, %v; want 24000", steps, ok)
	}
	n, err := LoadMomenta(store, f, "/optimizer/momentum")
	if err != nil || n != 1 {
		t.Fatalf("%d momenta, %v; want 1", n, err)
	}
	v := store.GetVariable("/optimizer/momentum/roi_heads/box_head/fc2/bias")
	if v == nil || v.Trainable {
		t.Fatalf("the momentum is %v", v)
	}
	if got := tensors.MustCopyFlatData[float32](v.MustValue()); got[0] != 0.5 || got[1] != 0.25 {
		t.Errorf("momentum %v, want [0.5 0.25]", got)
	}
}

func TestMomentaOfAnotherModel(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*File)
		want   string
	}{
		"none":       {func(f *File) { f.sgd = sgdState{} }, "no momentum"},
		"one more":   {func(f *File) { f.sgd.parameters = append(f.sgd.parameters, 7) }, "moves 4 parameters, the configuration 3"},
		"wrong form": {func(f *File) { f.sgd.momenta[4] = tensorOf("m4", []float32{1}, 1) }, "shape [1]"},
	} {
		f, store := trainingCheckpoint()
		c.change(f)
		if n, err := LoadMomenta(store, f, "/optimizer/momentum"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d momenta, error %v, want one with %q", what, n, err, c.want)
		}
		for v := range store.IterVariables() {
			if strings.HasPrefix(v.Path(), "/optimizer/") {
				t.Errorf("%s: %s was created", what, v.Path())
			}
		}
	}
}

func tensorOf(name string, values []float32, shape ...int) Tensor {
	bytes := make([]byte, 0, 4*len(values))
	for _, v := range values {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
	}
	t, err := NewTensor(name, dtypes.Float32, shape, bytes)
	if err != nil {
		panic(err)
	}
	return t
}
