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
