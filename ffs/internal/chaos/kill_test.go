package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// killAtRandom kills the training several times, each time after a part of what an undisturbed one
// takes.
func killAtRandom(t *testing.T, rng *rand.Rand, want *reference) string {
	return surviveKills(t, rng, want, func(c *exec.Cmd) (killed bool) {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Float64() * float64(want.duration)))
		killed = c.Process.Kill() == nil
		return c.Wait() != nil && killed
	})
}

// calls are the system calls of making a run, and of writing and removing a file, and up to which
// of a thread's the kill comes: Go spreads them over several threads.
var calls = []struct {
	name string
	most int
}{{"renameat", 3}, {"fsync", 3}, {"unlinkat", 2}, {"mkdirat", 2}, {"write", 20}}

// killAtCall kills the training as it makes the n-th of one kind of system call.
func killAtCall(t *testing.T, rng *rand.Rand, want *reference) string {
	if _, unable := killed(exec.Command("true"), rng); unable != "" {
		return unable
	}
	return surviveKills(t, rng, want, func(c *exec.Cmd) bool {
		c, _ = killed(c, rng)
		return c.Run() != nil
	})
}

// killed is the command under strace, which kills it at a random one of calls, or says why it
// cannot.
func killed(c *exec.Cmd, rng *rand.Rand) (_ *exec.Cmd, unable string) {
	strace, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(strace, "-qq", "-o", os.DevNull, "true").Run()
	}
	if err != nil {
		return nil, fmt.Sprintf("left out: strace: %v", err)
	}
	call := calls[rng.IntN(len(calls))]
	c.Args = []string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=" + call.name,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call.name, 1+rng.IntN(call.most)), c.Path}
	c.Path = strace
	return c, ""
}

// surviveKills trains to the end in spite of three kills, after each of which what is there must be
// an undisturbed run's.
func surviveKills(t *testing.T, rng *rand.Rand, want *reference, disturb func(*exec.Cmd) (killed bool)) string {
	dir := filepath.Join(t.TempDir(), "run")
	kills := 0
	for range 3 {
		if disturb(command(dir, trainArgs(dir)...)) {
			kills++
		}
		if steps, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*")); len(steps) > 0 {
			want.agrees(t, dir)
		}
	}
	mustTrain(t, dir)
	want.same(t, dir)
	if left := files(t, dir); !slices.Equal(left, want.files) {
		t.Errorf("files %q, an undisturbed run's are %q", left, want.files)
	}
	return fmt.Sprintf("same numbers after %d kills", kills)
}
