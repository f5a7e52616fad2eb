package explorer

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"ffslab/viz/escape"
)

//go:embed page
var files embed.FS

// scripts are the parts of the page's script, in the order in which they need one another.
var scripts = []string{
	"data.js", "separation.js", "parts.js", "chart.js", "store.js", "scatter.js", "legend.js", "histogram.js", "detail.js",
	"selection.js", "controls.js", "live.js", "path.js", "surface.js", "start.js",
}

// HTML returns the page as a block that can stand in any other page, more than once. It is the same
// for the same page. It fails for a page whose parts do not fit together, and for numbers that are
// not finite.
func (p *Page) HTML() (string, error) { return p.block("") }

// block is the page's HTML; live is the address of the process that serves it, or empty.
func (p *Page) block(live string) (string, error) {
	content, err := p.payload()
	if err != nil {
		return "", err
	}
	content.Live = live
	encoded, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(encoded)
	id := "explorer-" + hex.EncodeToString(digest[:6])
	packed, err := pack(encoded)
	if err != nil {
		return "", err
	}
	library, err := pack(p.Plotly)
	if err != nil {
		return "", err
	}
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<figure class=\"viz-explorer\" data-explorer=\"%s\">\n", id)
	b.WriteString("<p class=\"absent\">Here is an interactive figure: trust the notebook, or run the cell, to see it.</p>\n")
	fmt.Fprintf(&b, "<figcaption>%s</figcaption>\n</figure>\n<style>\n%s</style>\n<script>\n(() => {\n\"use strict\";\n", html.EscapeString(escape.Line(p.Caption)), style)
	for _, name := range scripts {
		text, err := files.ReadFile("page/" + name)
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	remedy, err := json.Marshal(p.Remedy) // escapes <, > and &: it can stand in a script
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "start(%q, %q, %q, %s);\n})();\n</script>\n", id, packed, library, remedy)
	return b.String(), nil
}

// pack compresses the text and writes it in base64: the page unpacks it.
func pack(text []byte) (string, error) {
	if len(text) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// Save writes the page as a file that any browser opens. The file appears whole or not at all.
func (p *Page) Save(path string) error {
	block, err := p.HTML()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(path, []byte(whole(block)), 0o644)
}

// whole is the block as a page of its own.
func whole(block string) string {
	return "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n" +
		"<title>synthetic outliers</title>\n<link rel=\"icon\" href=\"data:,\">\n" + block + "</html>\n"
}
