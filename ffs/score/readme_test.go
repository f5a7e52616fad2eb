package score_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/score"
)

// The table of README.md names the scores that there are.
func TestREADMENamesEveryScore(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllSubmatch(text, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllSubmatch(row[1], -1) {
			names = append(names, string(name[1]))
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(score.Names(), names); diff != "" {
		t.Errorf("scores (-registered +in the table):\n%s", diff)
	}
}
