package chaos

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"ffslab/ffs/run"
)

// failImport imports weights onto a disk that is full after a random number of bytes, or with a
// kill at a system call. It leaves a whole run that starts from the weights, or none, and the next
// import makes one.
func failImport(t *testing.T, rng *rand.Rand, want *reference) string {
	parent, outcome := t.TempDir(), "killed"
	dir := filepath.Join(parent, "run")
	importing := func() *exec.Cmd {
		return command(dir, "import", want.export, "--config", filepath.Join(want.dir, "config.yaml"), "--run", dir)
	}
	if rng.IntN(2) == 0 {
		c, unable := killed(importing(), rng)
		if unable != "" {
			return unable
		}
		if c.Run() == nil {
			outcome = "not killed"
		}
	} else {
		disk, unable := smallDisk(t, parent, 4+rng.IntN(600))
		if unable != "" {
			return unable
		}
		outcome = "disk full"
		if out, err := importing().CombinedOutput(); err == nil {
			outcome = "room enough"
		} else {
			tells(t, out, want.export)
			if !bytes.Contains(out, []byte("no space left")) {
				t.Errorf("the error does not say that the disk is full:\n%s", out)
			}
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("the failed import has left %q", left)
			}
		}
		disk.enlarge()
	}
	if _, err := os.Stat(filepath.Join(dir, "config.yaml")); err != nil {
		if out, err := importing().CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		outcome += ", imported again"
	}
	r, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	newest, err := r.Newest()
	if err != nil {
		t.Fatal(err)
	}
	if newest.Digest != want.weights || newest.Digest != r.Config.Origin.Weights {
		t.Errorf("the run starts from weights %s, marked as %s; imported were %s", newest.Digest, r.Config.Origin.Weights, want.weights)
	}
	if left := files(t, dir); !slices.Equal(left, []string{"/.lock", "/checkpoints/step-00000000.safetensors", "/config.yaml"}) {
		t.Errorf("files %q", left)
	}
	return outcome
}
