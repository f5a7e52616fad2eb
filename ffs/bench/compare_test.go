package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/ffs/internal/testkit"
)

// program appends its name to the file and reports the next of its medians.
func program(t *testing.T, file, name string, medians ...float64) []string {
	t.Helper()
	text := fmt.Sprintf("echo %s >>%s\ncase $(grep -c %s %s) in\n", name, file, name, file)
	for i, m := range medians {
		text += fmt.Sprintf("%d) echo; echo '{\"median_s\": %g}';;\n", i+1, m)
	}
	return []string{"sh", "-c", text + "esac"}
}

func TestCompare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "order")
	c, err := Compare(t.Context(), CompareOptions{Rounds: 3, Commands: [][]string{
		program(t, file, "ours", 2, 3, 1), program(t, file, "slow", 9, 2, 9), program(t, file, "fast", 4, 4, 4),
	}})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "ratios", c.Ratios, []float64{0.5, 1.5, 0.25}, 1e-12)
	testkit.Close(t, "ratio", c.Ratio, 0.5, 0)
	testkit.Close(t, "medians", c.Theirs[0].Medians, []float64{9, 2, 9}, 0)
	if c.Ours.PeakRSS <= 0 || c.Theirs[1].PeakRSS <= 0 {
		t.Errorf("peak memory %g and %g MiB", c.Ours.PeakRSS, c.Theirs[1].PeakRSS)
	}
	testkit.Close(t, "memory", c.MemoryRatio, c.Ours.PeakRSS/c.Theirs[1].PeakRSS, 0)
	order, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(string(order)), " "); got != "ours slow fast fast slow ours ours slow fast" {
		t.Errorf("order %s", got)
	}
}

func TestCompareRefuses(t *testing.T) {
	good := []string{"echo", `{"median_s": 1}`}
	for want, commands := range map[string][][]string{
		"compare: 1 commands, 1 rounds: give ours": {good},
		"compare: a command is empty":              {good, {}},
		"compare: false: exit status 1":            {good, {"false"}},
		"compare: no-such-program: exec: ":         {good, {"no-such-program"}},
		"compare: echo nothing: the last line":     {good, {"echo", "nothing"}},
		`compare: echo {"median_s": 0}: the last`:  {good, {"echo", `{"median_s": 0}`}},
	} {
		_, err := Compare(t.Context(), CompareOptions{Rounds: 1, Commands: commands})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// The commands run this program and, by the interpreter, the script that is written for them.
func TestWithPyTorch(t *testing.T) {
	dir := t.TempDir()
	fake := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	python := fake("python", "exit 0")
	ours, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "torch_step.py")
	for part, want := range map[string]string{
		"infer": ours + " bench infer --config voc --height 64 --width 96 --batch 2|" +
			python + " " + script + " --part infer --height 64 --width 96 --batch 2|" +
			python + " " + script + " --part infer --height 64 --width 96 --batch 2 --channels-last",
		"flow": ours + " bench flow --config voc|" + python + " " + script + " --part flow",
	} {
		commands, err := WithPyTorch(t.Context(), dir, python, part, 64, 96, 2)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range commands {
			lines = append(lines, strings.Join(c, " "))
		}
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("%s: %s, want %s", part, got, want)
		}
	}
	if written, err := os.ReadFile(script); err != nil || !strings.Contains(string(written), "def main()") {
		t.Errorf("the script has %d bytes, error %v", len(written), err)
	}
	without := fake("without", "echo No module named torch >&2; exit 1")
	if _, err := WithPyTorch(t.Context(), dir, without, "step", 64, 96, 1); err == nil || !strings.Contains(err.Error(), "No module named torch: name an interpreter") {
		t.Errorf("error %v, want one that names the module and the flag", err)
	}
	if _, err := WithPyTorch(t.Context(), dir, python, "train", 64, 96, 1); err == nil || !strings.Contains(err.Error(), `part "train"`) {
		t.Errorf("error %v, want one that names the part", err)
	}
}
