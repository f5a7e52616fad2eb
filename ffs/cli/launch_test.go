package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A process of a study gets every flag that says what to study, however often it was given, and
// none that says how its cells are launched.
func TestArgumentsOfAStudysProcesses(t *testing.T) {
	study, _, err := newRoot().Find([]string{"study"})
	if err != nil {
		t.Fatal(err)
	}
	if err := study.ParseFlags([]string{
		"--slurm", "--parallel", "2", "--sbatch", "--time=1", "--dry-run", "--json", "--backend", "xla:cpu", "--methods", "none,flow", "--methods", "gaussian", "--seeds", "0,1",
		"--ood", "coco:a b.json,images", "--ood", "digits:ood-near", "--variant", "x a=[1, 2]", "--set", "train.steps=[1, 2]", "--out", "dir",
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--backend=xla:cpu", "--methods=none,flow,gaussian", "--ood=coco:a b.json,images", "--ood=digits:ood-near", "--out=dir", "--seeds=0,1",
		"--set=train.steps=[1, 2]", "--variant=x a=[1, 2]",
	}
	if diff := cmp.Diff(want, studyArgs(study)); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

func TestDryRunPrintsAndWritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(strings.Fields("study --config digits --train digits:train?n=2 --id digits:val?n=2 --ood digits:ood-near?n=2 --methods none,flow --seeds 0,1 --out dir --slurm --dry-run --parallel 3 --sbatch --partition=gpu"))
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"#!/usr/bin/env bash\n", "--array=0-3%3 ", "#SBATCH --partition=gpu\n", "\tflow-seed1\n", "/dir/bin/ffs study --config=digits "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the script lacks %q:\n%s", want, out.String())
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestLaunchFlagsThatMeanNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	for flags, want := range map[string]string{
		"--parallel -1":          "--parallel -1",
		"--dry-run":              "give it too",
		"--sbatch --time=1":      "give it too",
		"--slurm --cell a":       "none of the others can be",
		"--tables --parallel 2":  "none of the others can be",
		"--cell nothing-seed9":   `cell "nothing-seed9"`,
		"--slurm --baseline xyz": `baseline "xyz"`,
	} {
		if text := fails(t, "study --config digits --train digits:train?n=2 --id digits:val?n=2 --ood digits:ood-near?n=2 --methods none --seeds 0 --out dir "+flags); !strings.Contains(text, want) {
			t.Errorf("%s: error %q, want one with %q", flags, text, want)
		}
	}
	if text := fails(t, "study status --out dir"); !strings.Contains(text, "dir: not a study") {
		t.Errorf("status of no study: %q", text)
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestShardIsCheckedFirst(t *testing.T) {
	if text := fails(t, "eval --run nowhere --shard 3/2"); !strings.Contains(text, `--shard: shard "3/2"`) {
		t.Errorf("error %q", text)
	}
}
