package lab

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPagesHoldTheirPictures(t *testing.T) {
	env := testEnvironment(t)
	out := t.TempDir()
	// A figure as the cells of notebook 01 leave them.
	wide := image.NewRGBA(image.Rect(0, 0, 2*thumbnailWidth, 100))
	wide.Set(3, 3, color.Black)
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, wide); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(out, "figures"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "figures", "01-scenes.png"), encoded.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if _, err := env.run(t.Context(), RunOptions{Dir: "testdata", Only: []string{"01"}, Cells: Cells{Out: out}, HTML: true, Log: &log}); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	page, err := os.ReadFile(filepath.Join(out, "html", "01_prints.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, []byte("hello from Go")) {
		t.Error("the page does not show what the cell printed")
	}
	for _, address := range []string{`src="http`, `href="http`, "require.min.js"} {
		// MathJax alone may come from a network: formulas are readable without.
		if i := bytes.Index(page, []byte(address)); i >= 0 && !bytes.Contains(page[i:min(len(page), i+200)], []byte("mathjax")) {
			t.Errorf("the page needs a network: %.200s", page[i:])
		}
	}
	index, err := os.ReadFile(filepath.Join(out, "html", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`href="01_prints.html"`, `src="data:image/png;base64,`} {
		if !strings.Contains(string(index), want) {
			t.Errorf("the index has no %s:\n%s", want, index)
		}
	}
}

func TestIndexDescribesNotebooks(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "07_some.ipynb")
	notebook := `{"cells": [{"cell_type": "markdown", "source": ["# A <title>\n", "\n", "The *story* of $z$\n", "goes on. And then\n", "\n", "More."]}]}`
	if err := os.WriteFile(path, []byte(notebook), 0o644); err != nil {
		t.Fatal(err)
	}
	entry, err := describeNotebook(path, dir)
	if want := (indexEntry{Page: "07_some.html", Title: "A <title>", Story: "The story of z goes on."}); err != nil || entry != want {
		t.Errorf("%+v, %v; want %+v", entry, err, want)
	}
	index := filepath.Join(dir, "index.html")
	if err := writeIndex(index, []indexEntry{entry}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(index)
	if err != nil || !bytes.Contains(page, []byte("A &lt;title&gt;")) {
		t.Errorf("%v: the title is not escaped:\n%s", err, page)
	}
}
