package train

import (
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

// Of four images with a square each, red, green, blue and red, green is unknown. As an ignored
// region, here the whole image, it changes what anchors and proposals are trained on, in one
// program as in parts on devices. A batch without a region has the losses of a set in which nobody
// has annotated it, and so has a set from which it was dropped, to the bit.
func TestUnknownObjectsInTrainingImages(t *testing.T) {
	backend := testkit.Backend(t)
	c := tinyConfig(t, "train.images_per_step=4", "model.outlier.method=none", "input.flip=false", "model.roi.batch_per_image=64") // more than there are candidates
	squares := tiny.Squares("squares", 4, "red", "green", "blue")
	squares.Images[1].Instances[0].Box = box.Corners{0, 0, tiny.Side, tiny.Side} // as the largest proposals are

	// losses are those of the first batch as it is, and without its ignored regions.
	losses := func(how data.Unknown, devices, parts int) (asItIs, unmarked []float64) {
		t.Helper()
		set, err := squares.ForTraining(c.Model.Classes, how)
		if err != nil {
			t.Fatal(err)
		}
		step, err := NewStep(Options{Backend: backend, Data: set, Devices: devices, Accumulate: parts}, c, model.NewStore())
		if err != nil {
			t.Fatal(err)
		}
		defer step.Close()
		loader, err := data.Train(t.Context(), set, LoaderConfig(c, 0))
		if err != nil {
			t.Fatal(err)
		}
		defer loader.Close()
		batch, err := loader.Next()
		if err != nil {
			t.Fatal(err)
		}
		of := func() []float64 {
			m, err := step.Do(batch, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			return []float64{m.LossRPNCls, m.LossRPNLoc, m.LossCls, m.LossBoxReg, m.TotalLoss, m.Foreground}
		}
		asItIs = of()
		clear(batch.Ignored)
		return asItIs, of()
	}

	dropped, same := losses(data.DropUnknown, 1, 1)
	testkit.Close(t, "the same step again", same, dropped, 0)
	ignored, unmarked := losses(data.IgnoreUnknown, 1, 1)
	testkit.Close(t, "without a region in the batch", unmarked, dropped, 1e-6)
	if ignored[0] == dropped[0] || ignored[2] == dropped[2] {
		t.Errorf("with a region the losses are %v, without %v: want both classifications changed", ignored, dropped)
	}
	if ignored[1] != dropped[1] {
		t.Errorf("with a region the loss of the anchors' boxes is %g, without %g: it lies on no known object", ignored[1], dropped[1])
	}
	devices := min(2, backend.NumDevices())
	inParts, _ := losses(data.IgnoreUnknown, devices, 2)
	testkit.Close(t, "in parts", inParts, ignored, 1e-5)
}
