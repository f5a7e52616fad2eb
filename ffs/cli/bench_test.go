package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitCommands(t *testing.T) {
	for _, c := range []struct {
		line []string
		want [][]string
	}{
		{nil, [][]string{nil}},
		{[]string{"a", "-x"}, [][]string{{"a", "-x"}}},
		{[]string{"a", "--", "b", "--part", "flow", "--", "c"}, [][]string{{"a"}, {"b", "--part", "flow"}, {"c"}}},
		{[]string{"a", "--"}, [][]string{{"a"}, {}}},
	} {
		if diff := cmp.Diff(c.want, splitCommands(c.line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.line, diff)
		}
	}
}
