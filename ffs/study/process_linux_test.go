package study

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const killedJob = "FFSLAB_TEST_KILLED_JOB"

// TestKilledLauncherHelper is no test: it is the launcher that the next test kills.
func TestKilledLauncherHelper(t *testing.T) {
	dir := os.Getenv(killedJob)
	if dir == "" {
		t.Skip("only as a child of another test")
	}
	_, err := Processes{Parallel: 2}.Launch(t.Context(), Job{Dir: dir, Cells: []string{"a", "b"}, Args: []string{dir}, Program: filepath.Join(dir, "program")})
	t.Fatalf("still alive: %v", err)
}

// After kill -9 of the launcher its processes save and end, so that the same command can go on.
func TestProcessesEndWithAKilledLauncher(t *testing.T) {
	dir := t.TempDir()
	if err := os.Rename(program(t, `
trap 'echo saved >"$1/saved-$3"; exit 130' TERM
touch "$1/begun-$3"
while :; do sleep 0.05; done
`), filepath.Join(dir, "program")); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run=^TestKilledLauncherHelper$")
	c.Env = append(os.Environ(), killedJob+"="+dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	both := func(what string) {
		t.Helper()
		for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(10 * time.Millisecond) {
			if found, _ := filepath.Glob(filepath.Join(dir, what+"-[ab]")); len(found) == 2 {
				return
			}
		}
		t.Errorf("not both processes have %s", what)
	}
	both("begun")
	if err := c.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = c.Wait()
	both("saved")
}
