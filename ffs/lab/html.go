package lab

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/image/draw"
)

// thumbnailWidth is that of the index page's pictures, in pixels; screens of twice the density get all of them.
const thumbnailWidth = 480

// writePages converts executed notebooks into OUT/html/NAME.html, pages that hold their pictures, and writes OUT/html/index.html, which shows one
// figure of each. Everything but the typesetting of formulas (MathJax) works without a network.
func (e *environment) writePages(ctx context.Context, results []Result, out string, environ []string) error {
	dir := filepath.Join(out, "html")
	arguments := []string{
		"-m", "nbconvert", "--to", "html", "--embed-images", "--output-dir", dir, "--log-level", "ERROR",
		"--HTMLExporter.require_js_url=", "--HTMLExporter.jquery_url=", "--HTMLExporter.mermaid_js_url=",
	}
	for _, result := range results {
		arguments = append(arguments, result.Notebook)
	}
	command := exec.CommandContext(ctx, e.interpreter.Path, arguments...)
	command.Env = environ
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("nbconvert: %w\n%s", err, tail(output.String(), 10))
	}
	pages := make([]indexEntry, len(results))
	for i, result := range results {
		var err error
		if pages[i], err = describeNotebook(result.Notebook, filepath.Join(out, "figures")); err != nil {
			return err
		}
	}
	return writeIndex(filepath.Join(dir, "index.html"), pages)
}

// indexEntry is a notebook on the index page.
type indexEntry struct {
	Page, Title, Story string
	Thumbnail          template.URL // a data URL; empty if the notebook has left no figure
}

// describeNotebook takes the title and the first sentence after it from the notebook's first cell, and its first figure, of those in the folder whose names
// begin with the notebook's number.
func describeNotebook(path, figures string) (indexEntry, error) {
	name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
	entry := indexEntry{Page: name + ".html", Title: name}
	raw, err := os.ReadFile(path)
	if err != nil {
		return entry, err
	}
	var notebook struct {
		Cells []struct {
			Type   string          `json:"cell_type"`
			Source json.RawMessage `json:"source"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(raw, &notebook); err != nil {
		return entry, fmt.Errorf("%s: %w", path, err)
	}
	if len(notebook.Cells) > 0 && notebook.Cells[0].Type == "markdown" {
		paragraphs := strings.Split(sourceText(notebook.Cells[0].Source), "\n\n")
		if title, ok := strings.CutPrefix(strings.TrimSpace(paragraphs[0]), "# "); ok {
			entry.Title = title
		}
		if len(paragraphs) > 1 {
			story := strings.Join(strings.Fields(strings.NewReplacer("*", "", "`", "", "$", "").Replace(paragraphs[1])), " ")
			if end := strings.Index(story, ". "); end >= 0 { // what follows may end in a formula's paragraph
				story = story[:end+1]
			}
			entry.Story = story
		}
	}
	number, _, _ := strings.Cut(name, "_")
	pictures, err := filepath.Glob(filepath.Join(figures, number+"-*.png"))
	if err != nil || len(pictures) == 0 {
		return entry, err
	}
	slices.Sort(pictures)
	entry.Thumbnail, err = thumbnail(pictures[0])
	return entry, err
}

// sourceText is a cell's source, which the format allows to be one string or a list of lines.
func sourceText(source json.RawMessage) string {
	var lines []string
	if json.Unmarshal(source, &lines) == nil {
		return strings.Join(lines, "")
	}
	var text string
	_ = json.Unmarshal(source, &text) // neither: a cell without text
	return text
}

// thumbnail returns the picture, no wider than thumbnailWidth, as a data URL.
func thumbnail(path string) (template.URL, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if size := picture.Bounds().Size(); size.X > thumbnailWidth {
		small := image.NewRGBA(image.Rect(0, 0, thumbnailWidth, max(1, size.Y*thumbnailWidth/size.X)))
		draw.CatmullRom.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
		picture = small
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, picture); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(encoded.Bytes())), nil
}

var indexPage = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ffslab notebooks</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1040px; margin: 2em auto; padding: 0 1em }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 1.5em }
a { color: inherit; text-decoration: none; border: 1px solid #ddd; border-radius: 6px; padding: 1em; display: block }
a:hover, a:focus { border-color: #0072b2 }
img { width: 100%; height: 170px; object-fit: contain }
h2 { font-size: 1.1em; margin: .4em 0 }
p { margin: 0; color: #555; font-size: .9em }
</style>
<h1>ffslab notebooks</h1>
<main>
{{range .}}<a href="{{.Page}}">{{with .Thumbnail}}<img src="{{.}}" alt="">{{end}}<h2>{{.Title}}</h2><p>{{.Story}}</p></a>
{{end}}</main>
</html>
`))

func writeIndex(path string, pages []indexEntry) error {
	var page bytes.Buffer
	if err := indexPage.Execute(&page, pages); err != nil {
		return err
	}
	return renameio.WriteFile(path, page.Bytes(), 0o644)
}
