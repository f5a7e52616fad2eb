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
	if _, err := env.run(t.Context(), RunOptions{Dir: "testdata/pages", Cells: Cells{Out: out}, HTML: true, Log: &log}); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	for name, wants := range map[string][]string{
		"01_first.html": {
			"hello from Go", "<title>The &lt;first&gt;</title>", `href="02_second.html" rel="next">The second`, `href="index.html"`,
			`display="block"`, `display="inline"`, `rspace="0.17em">log</mo>`,
		},
		"02_second.html": {`href="01_first.html" rel="prev">‹ The &lt;first&gt;`},
		"index.html": {
			`href="01_first.html"`, `href="02_second.html"`, `src="data:image/png;base64,`, "<em>x</em>", "<td>2</td>", `href="../figures/02-explorer.html"`,
		},
	} {
		content, err := os.ReadFile(filepath.Join(out, "html", name))
		if err != nil {
			t.Fatal(err)
		}
		page := string(content)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s has no %s", name, want)
			}
		}
		for _, address := range []string{`src="http`, `href="http`, "<script src", "MathJax", "$$"} {
			if i := strings.Index(page, address); i >= 0 {
				t.Errorf("%s needs a network: %.200s", name, page[i:])
			}
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
	page := filepath.Join(dir, "index.html")
	if err := writeIndex(page, index{Entries: []indexEntry{entry}}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(content, []byte("A &lt;title&gt;")) {
		t.Errorf("%v: the title is not escaped:\n%s", err, content)
	}
}
