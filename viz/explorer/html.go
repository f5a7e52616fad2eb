package explorer

import (
	"bytes"
	"crypto/sha256"
	"embed"
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
var scripts = []string{"data.js", "parts.js", "plot.js", "draws.js", "path.js", "surface.js", "start.js"}

// HTML returns the page as a block that can stand in any other page, more than once. It is the same for the same page. It fails for a page
// whose parts do not fit together, and for numbers that are not finite.
func (p *Page) HTML() (string, error) {
	content, err := p.payload()
	if err != nil {
		return "", err
	}
	encoded, err := json.Marshal(content) // escapes <, > and &: it can stand in a script
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(encoded)
	id := "explorer-" + hex.EncodeToString(digest[:6])
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
	fmt.Fprintf(&b, "start(%q, %s);\n})();\n</script>\n", id, encoded)
	return b.String(), nil
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
	whole := "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>synthetic outliers</title>\n" + block + "</html>\n"
	return renameio.WriteFile(path, []byte(whole), 0o644)
}
