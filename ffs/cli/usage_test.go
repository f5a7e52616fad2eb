package cli

import (
	"strings"
	"testing"
)

// Wrong use is told in one line that says what to give.
func TestUseIsExplained(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"train", "--config", "digits", "--run", ""}, "--run is empty"},
		{[]string{"train", "--run", "r", "--seed", "abc"}, `--seed "abc": give a whole number`},
		{[]string{"sample", "--run", "r", "-n", "1.5"}, `--number "1.5": give a whole number`},
		{[]string{"eval", "--run", "r", "--temperature", "hot"}, `--temperature "hot": give a number`},
		{[]string{"eval", "--run", "zoo:digits-flow", "--bootstrap", "1000000000"}, "--bootstrap: 1000000000 resamples: give from 0 to 1000000"},
		{[]string{"detect", "--run", "r", "--out", "o"}, "arguments are missing: ffs detect"},
		{[]string{"eval", "more", "--run", "r"}, `ffs eval takes other arguments than ["more"]`},
		{[]string{"data", "staats"}, `unknown command "staats" for "ffs data": there are convert, ls, show, split, stats`},
		{[]string{"detect", "--run", "zoo:digits-flow", "x.png", "--out", "o", "--score-threshold", "7"}, "from 0 to 1"},
		{[]string{"detect", "--run", "zoo:digits-flow", "x.png", "--out", "o", "--unknown-threshold", "nan"}, "--unknown-threshold NaN"},
		{[]string{"features", "--run", "zoo:digits-flow", "--data", "digits2:val?n=2", "--out", "o", "--min-score", "0.5"}, "--min-score is for detections"},
		{[]string{"data", "stats", "annotations.json"}, "do you mean coco:annotations.json,IMAGES_DIR?"},
		{[]string{"data", "stats", "digits2"}, "do you mean digits2:train|val"},
	} {
		cmd := newRoot()
		cmd.SetArgs(c.arguments)
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ffs %q: error %v, want one line with %q", c.arguments, err, c.want)
		}
	}
}
