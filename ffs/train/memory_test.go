package train

import (
	"strings"
	"testing"

	"ffslab/ffs/internal/testkit"
)

// Settings that exceed every memory are errors that name them, before a step is made.
func TestSizesBeyondTheMemory(t *testing.T) {
	for setting, want := range map[string]string{
		"train.images_per_step=100000000000": "train.images_per_step: the pictures of 100000000000 images a step take ",
		"model.roi.fc_dim=1000000000":        " numbers, more than 2147483648: choose smaller sizes in the configuration",
	} {
		if err := Check(testkit.Backend(t), tinyConfig(t, setting), 1, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: error %v, want %q", setting, err, want)
		}
	}
}
