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

// fillDisk trains on a disk that is full after a random number of bytes, then makes room and goes on.
func fillDisk(t *testing.T, rng *rand.Rand, want *reference) string {
	disk := t.TempDir()
	kilobytes := 4 + rng.IntN(5000)
	mount := func(options ...string) error {
		out, err := exec.Command("mount", append(options, disk)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
		}
		return nil
	}
	if err := mount("-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", kilobytes), "tmpfs"); err != nil {
		return fmt.Sprintf("left out: a tmpfs cannot be mounted: %v", err)
	}
	defer func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}()
	dir, outcome := filepath.Join(disk, "run"), "same numbers, with room enough"
	if out, err := command(trainArgs(dir)...).CombinedOutput(); err != nil {
		outcome = "one error, then the same numbers"
		tells(t, out, disk)
		if !bytes.Contains(out, []byte("no space left")) {
			t.Errorf("the error does not say that the disk is full:\n%s", out)
		}
		if steps, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*")); len(steps) > 0 {
			want.agrees(t, dir)
		}
	}
	if err := mount("-o", "remount,size=64m"); err != nil {
		t.Fatal(err)
	}
	mustTrain(t, dir)
	want.same(t, dir)
	if left := files(t, dir); !slices.Equal(left, want.files) {
		t.Errorf("files %q, an undisturbed run's are %q", left, want.files)
	}
	return outcome
}
