package lab

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCellsAreCalledByTheTextBeforeThem(t *testing.T) {
	notebook := `{"cells": [
		{"cell_type": "markdown", "source": ["# A *title*\n", "\n", "Text."]},
		{"cell_type": "code", "source": ["import (\n", "\t\"fmt\"\n", "\n", "\t\"ffslab/viz\"\n", ")\n", "\n", "var x = 1\n", "\n", "%%\n", "fmt.Println(x)"]},
		{"cell_type": "code", "source": "%%\nprintln(2)"},
		{"cell_type": "markdown", "source": "What was [trained](x.html), and\nhow fast. And more."},
		{"cell_type": "code", "source": ["func f() {}"]},
		{"cell_type": "code", "source": ["import \"fmt\""]}
	]}`
	want := []label{
		{"A title", "fmt.Println(x)"}, {"println(2)", "println(2)"}, {"What was trained, and how fast.", "func f() {}"}, {`import "fmt"`, `import "fmt"`},
	}
	if diff := cmp.Diff(want, labels(readCells([]byte(notebook))), cmp.AllowUnexported(label{})); diff != "" {
		t.Error(diff)
	}
}

// TestNotebooksTellTheirCellsApart looks at the repository's own.
func TestNotebooksTellTheirCellsApart(t *testing.T) {
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	notebooks, err := Notebooks(filepath.Join(root, "notebooks"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range notebooks {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i, l := range labels(readCells(content)) {
			if seen[l.title] || strings.HasPrefix(l.title, "import") || strings.HasPrefix(l.title, `"`) {
				t.Errorf("%s: code cell %d is called %q", path, i+1, l.title)
			}
			seen[l.title] = true
		}
	}
}

func TestProgressShowsWhatTheCellsSay(t *testing.T) {
	var log bytes.Buffer
	b := newBoard(&log)
	b.width = 60
	p := b.begin("[1/2] x", 2)
	p.cell(1, "The first")
	p.status("run flow: step 3 of 40")
	p.alive()
	other := b.begin("[2/2] y", 1)
	other.end(nil)
	p.cell(2, strings.Repeat("long ", 20))
	p.end(errors.New("failed"))
	frames := strings.Split(log.String(), "\r\033[K")
	want := []string{
		"", "[1/2] x: 0s  starting the kernel", "[1/2] x: 0s  cell 1/2 The first", "[1/2] x: 0s  cell 1/2 run flow: step 3 of 40",
		"[1/2] x: 0s  cell 1/2 run … | [2/2] y: 0s  starting the …", "[2/2] y: done in 0s\n", "[1/2] x: 0s  cell 1/2 run flow: step 3 of 40",
		"[1/2] x: 0s  cell 2/2 long long long long long long long…", "[1/2] x: FAILED in 0s\n",
	}
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Error(diff)
	}
}
