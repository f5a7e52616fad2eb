package device_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/device"
	"ffslab/ffs/internal/testkit"
)

// After an upload the values are on the device alone, and are what they were.
func TestUpload(t *testing.T) {
	store := model.NewStore()
	v, err := store.RootScope().CreateVariable("weight", tensors.FromValue([]float32{1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	if err := device.Upload(store, testkit.Backend(t)); err != nil {
		t.Fatal(err)
	}
	value := v.MustValue()
	if value.HasLocal() || !value.IsOnAnyDevice() {
		t.Errorf("a copy in Go's memory: %v, on the device: %v", value.HasLocal(), value.IsOnAnyDevice())
	}
	if got := tensors.MustCopyFlatData[float32](value); got[0] != 1 || got[2] != 3 {
		t.Errorf("the values became %v", got)
	}
}
