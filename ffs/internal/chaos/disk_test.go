package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// disk is a tmpfs.
type disk struct {
	t    *testing.T
	path string
}

// smallDisk mounts a tmpfs of that many kilobytes at the folder until the test ends, or says why it
// cannot.
func smallDisk(t *testing.T, path string, kilobytes int) (d disk, unable string) {
	d = disk{t, path}
	if err := d.mount("-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", kilobytes), "tmpfs"); err != nil {
		return d, fmt.Sprintf("left out: a tmpfs cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", path).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return d, ""
}

func (d disk) mount(options ...string) error {
	out, err := exec.Command("mount", append(options, d.path)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// enlarge makes room.
func (d disk) enlarge() {
	if err := d.mount("-o", "remount,size=64m"); err != nil {
		d.t.Fatal(err)
	}
}

// fillDisk trains on a disk that is full after a random number of bytes, then makes room and goes
// on.
func fillDisk(t *testing.T, rng *rand.Rand, want *reference) string {
	parent := t.TempDir()
	disk, unable := smallDisk(t, parent, 4+rng.IntN(5000))
	if unable != "" {
		return unable
	}
	dir, outcome := filepath.Join(parent, "run"), "same numbers, with room enough"
	if out, err := command(dir, trainArgs(dir)...).CombinedOutput(); err != nil {
		outcome = "one error, then the same numbers"
		tells(t, out, parent)
		if !bytes.Contains(out, []byte("no space left")) {
			t.Errorf("the error does not say that the disk is full:\n%s", out)
		}
		if steps, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*")); len(steps) > 0 {
			want.agrees(t, dir)
		}
	}
	disk.enlarge()
	mustTrain(t, dir)
	want.same(t, dir)
	if left := files(t, dir); !slices.Equal(left, want.files) {
		t.Errorf("files %q, an undisturbed run's are %q", left, want.files)
	}
	return outcome
}
