package labcmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSummaryOfThisRunIsPrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	now := time.Now()
	for _, test := range []struct {
		name    string
		written time.Time // zero: not at all
		want    string
	}{
		{"absent", time.Time{}, ""},
		{"of an earlier run", now.Add(-time.Hour), ""},
		{"of this run", now.Add(time.Second), "\n| run | AP |\n"},
	} {
		if !test.written.IsZero() {
			if err := os.WriteFile(path, []byte("| run | AP |\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, test.written, test.written); err != nil {
				t.Fatal(err)
			}
		}
		var out strings.Builder
		if err := writeSummary(&out, path, now); err != nil || out.String() != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, out.String(), err, test.want)
		}
	}
}
