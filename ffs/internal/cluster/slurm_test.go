package cluster

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/cli"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/study"
)

var seeds = flag.Int("cluster.seeds", 2, "seeds of the study, of which each has two cells; at least 2")

// commandEnv makes the test binary the program instead of testing; jobs inherit it.
const commandEnv = "FFSLAB_CLUSTER_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandEnv) != "" {
		cli.Main()
	}
	os.Exit(m.Run())
}

// tiny is a detector whose training takes seconds, long enough to be disturbed.
const tiny = `base: digits
model:
  backbone: {stem_width: 8, depth: 4, w_0: 8, w_a: 12.5}
  fpn_channels: 16
  rpn: {batch_per_image: 32, pre_nms_train: 40, post_nms_train: 40}
  roi: {batch_per_image: 16, fc_dim: 16, score_threshold: 0.01, detections: 10}
input: {canvases: [[64, 64]], min_size_train: [64], max_size_train: 64, min_size_test: 64, max_size_test: 64, max_boxes: 8}
train: {images_per_step: 2, warmup_iters: 4, steps: [], base_lr: 0.01, checkpoint_every: 1000, max_iter: 600}
data: {train: "digits:train?n=8&size=128", val: "digits:val?n=6&size=128", ood: ["digits:ood-near?n=6&size=128"]}
`

// both rows have the same graphs: one compilation serves all cells.
func studyArgs(out string, more ...string) []string {
	var numbers []string
	for n := range *seeds {
		numbers = append(numbers, fmt.Sprint(n))
	}
	return append([]string{"study", "--config", "tiny.yaml", "--methods", "none", "--variant", "slow model.outlier.method=none train.base_lr=0.001",
		"--seeds", strings.Join(numbers, ","), "--bootstrap", "50", "--out", out}, more...)
}

// ffs is the command in a process of its own, in the current folder.
func ffs(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(program, args...)
}

func output(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", c.Args[1:], err, out)
	}
	return string(out)
}

// TestSlurmGivesTheTablesOfOneProcess submits a study, cancels one in the middle and has another
// one told that its time is over; the second goes on by itself, the first by the same command, and
// the tables are those of a study that nothing has disturbed.
func TestSlurmGivesTheTablesOfOneProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a study of tiny detectors twice")
	}
	testkit.Backend(t)
	if testkit.OnGPU(t) {
		t.Skip("a GPU adds in no fixed order")
	}
	startSlurm(t)
	t.Chdir(t.TempDir())
	t.Setenv(commandEnv, "1")
	write(t, "tiny.yaml", tiny)

	output(t, ffs(t, studyArgs("local")...))

	submit := ffs(t, studyArgs("cluster", "--slurm", "--parallel", "2", "--sbatch", "--time=10")...)
	cells := 2 * *seeds
	array := field(t, output(t, submit), "submitted: job ", fmt.Sprintf(", runs: %d\n", cells))
	if out, err := ffs(t, studyArgs("cluster", "--slurm")...).CombinedOutput(); err == nil || !strings.Contains(string(out), "already in Slurm's queue, as job "+array) {
		t.Errorf("a second submission: error %v\n%s", err, out)
	}
	trains := func(cell string) func() bool {
		return func() bool {
			s := state(t, cell)
			return strings.HasPrefix(s, "running step ") && !strings.HasPrefix(s, "running step 0 ")
		}
	}
	wait(t, "the first two cells train", func() bool { return trains("none-seed0")() && trains("slow-seed0")() })
	output(t, exec.Command("scancel", array+"_0"))
	// scancel says that the job "can not be altered now", though the signal has got there, and
	// repeats itself for minutes.
	told, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_ = exec.CommandContext(told, "scancel", "--signal=USR1", "--batch", array+"_1").Run()
	wait(t, "the cancelled cell stops", func() bool { return strings.HasPrefix(state(t, "none-seed0"), "stopped at step ") })
	// Slurm delays what was requeued by two minutes, which a user has and a test has not.
	wait(t, "the other cell goes on", func() bool {
		_ = exec.Command("scontrol", "update", "JobId="+array+"_1", "StartTime=now").Run()
		return len(stints(t, "slow-seed0")) == 2
	})
	wait(t, "the queue is empty", func() bool { return output(t, exec.Command("squeue", "--noheader")) == "" })
	table := output(t, ffs(t, "study", "status", "--out", "cluster"))
	t.Logf("after the array:\n%s", table)
	if n := strings.Count(table, "  done  "); n != cells-1 || !strings.HasPrefix(state(t, "none-seed0"), "stopped at step ") {
		t.Errorf("%d cells are done, want %d, and the cancelled one stopped", n, cells-1)
	}
	if text := read(t, "cluster/study.md"); !strings.Contains(text, fmt.Sprintf("UNFINISHED: %d of %d runs", cells-1, cells)) {
		t.Errorf("the tables behind the array:\n%s", text)
	}

	if out := output(t, ffs(t, studyArgs("cluster", "--slurm")...)); !strings.Contains(out, ", runs: 1\n") {
		t.Errorf("the same command again:\n%s", out)
	}
	wait(t, "the queue is empty", func() bool { return output(t, exec.Command("squeue", "--noheader")) == "" })
	t.Logf("in the end:\n%s", output(t, ffs(t, "study", "status", "--out", "cluster")))
	if diff := cmp.Diff(read(t, "local/study.csv"), read(t, "cluster/study.csv")); diff != "" {
		t.Errorf("study.csv (-local +slurm):\n%s", diff)
	}
	whole, disturbed := tables(t, "local"), tables(t, "cluster")
	if diff := cmp.Diff(whole.Rows, disturbed.Rows); diff != "" {
		t.Errorf("results (-local +slurm):\n%s", diff)
	}
	if cmp.Equal(whole.Rows[0].Values, whole.Rows[len(whole.Rows)-1].Values) {
		t.Errorf("the cells are too alike to test anything: %+v", whole.Rows)
	}
	for cell, want := range map[string]int{"none-seed0": 2, "slow-seed0": 2, "none-seed1": 1, "slow-seed1": 1} {
		if all := stints(t, cell); len(all) != want || all[0].Host == "" || all[0].Seconds <= 0 || all[0].PeakMemory <= 0 {
			t.Errorf("%s was computed by %+v, want %d stints", cell, all, want)
		}
	}
}

// field is what stands between two texts.
func field(t *testing.T, text, before, after string) string {
	t.Helper()
	head, _, ok := strings.Cut(text, after)
	_, found, also := strings.Cut(head, before)
	if !ok || !also {
		t.Fatalf("no %q ... %q in\n%s", before, after, text)
	}
	return found
}

// wait waits for something to come about on a busy machine, and shows the logs if it does not.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 3*time.Minute; time.Sleep(200 * time.Millisecond) {
		if holds() {
			return
		}
	}
	logs, _ := filepath.Glob("cluster/cells/*")
	report := output(t, exec.Command("squeue", "--array"))
	for _, path := range logs {
		report += fmt.Sprintf("\n--- %s\n%s", path, read(t, path))
	}
	t.Fatalf("never: %s\n%s", what, report)
}

func status(t *testing.T, cell string) study.CellStatus {
	t.Helper()
	all, err := study.Status("cluster")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Cell == cell {
			return c
		}
	}
	t.Fatalf("no cell %s in %+v", cell, all)
	return study.CellStatus{}
}

func state(t *testing.T, cell string) string         { t.Helper(); return status(t, cell).State }
func stints(t *testing.T, cell string) []study.Stint { t.Helper(); return status(t, cell).Stints }

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func tables(t *testing.T, dir string) *study.Result {
	t.Helper()
	result, err := study.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
