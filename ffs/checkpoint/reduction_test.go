package checkpoint

import (
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// FEVER-OOD's layer is found wherever it stands, under a prefix, too.
func TestReductionIsFound(t *testing.T) {
	for _, prefix := range []string{"", "module."} {
		for _, place := range []string{"roi_heads.", "roi_heads.box_head.", "roi_heads.box_predictor."} {
			store := model.NewStore()
			for path, value := range map[string][]float32{"/roi_heads/box_head_extension/bias": {0, 0}, "/roi_heads/box_head/fc1/bias": {0, 0}} {
				if _, err := store.CreateVariable(path, tensors.FromValue(value)); err != nil {
					t.Fatal(err)
				}
			}
			report, err := LoadInto(store, &File{Tensors: []Tensor{
				tensorOf(prefix+place+"box_head_extension.bias", []float32{3, 4}, 2), tensorOf(prefix+"roi_heads.box_head.fc1.bias", []float32{1, 2}, 2),
			}})
			if err != nil || len(report.Loaded) != 2 {
				t.Fatalf("%s%s: %v, %v", prefix, place, report, err)
			}
			if got := tensors.MustCopyFlatData[float32](store.GetVariable("/roi_heads/box_head_extension/bias").MustValue()); got[0] != 3 || got[1] != 4 {
				t.Errorf("%s%s: %v", prefix, place, got)
			}
		}
	}
}
