package lab

import (
	"bytes"
	"context"
	_ "embed" // pages.py
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/image/draw"
)

// thumbnailWidth is the width of the index page's images in pixels, for screens of twice the
// density.
const thumbnailWidth = 480

// pagesScript converts notebooks to pages.
//
//go:embed pages.py
var pagesScript string

// writePages converts executed notebooks to OUT/html/NAME.html, with embedded images and links to
// each other, and writes OUT/html/index.html with one figure of each notebook and the summary of
// results, if it was written since the given time. The pages need no network.
func (e *environment) writePages(ctx context.Context, results []Result, out string, since time.Time, environ []string) error {
	dir := filepath.Join(out, "html")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	type page struct {
		Source string `json:"source"`
		Target string `json:"target"`
		Title  string `json:"title"`
	}
	var job struct {
		Notebooks []page `json:"notebooks"`
		Index     string `json:"index"`
		Summary   string `json:"summary"`
	}
	job.Index = filepath.Join(dir, "index.html")
	content := index{Entries: make([]indexEntry, len(results))}
	for i, result := range results {
		var err error
		if content.Entries[i], err = describeNotebook(result.Notebook, filepath.Join(out, "figures")); err != nil {
			return err
		}
		job.Notebooks = append(job.Notebooks, page{result.Notebook, filepath.Join(dir, content.Entries[i].Page), content.Entries[i].Title})
	}
	summary, err := ReadSince(filepath.Join(out, "summary.md"), since)
	if err != nil {
		return err
	}
	job.Summary = string(summary)
	input, err := json.Marshal(job)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, e.interpreter.Path, "-c", pagesScript)
	command.Env = environ
	var output, faults bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &output, &faults
	if err := command.Run(); err != nil {
		return fmt.Errorf("nbconvert: %w\n%s", err, tail(faults.String(), 10))
	}
	content.Summary = template.HTML(strings.TrimSpace(output.String()))
	if content.Explorers, err = explorers(dir, filepath.Join(out, "figures"), since); err != nil {
		return err
	}
	return writeIndex(job.Index, content)
}

// ReadSince reads a file that was written since the given time. It returns nil if the file is older
// or absent.
func ReadSince(path string, since time.Time) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().Before(since) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// explorers returns links from dir to the explorer's pages that notebooks saved since the given
// time.
func explorers(dir, figures string, since time.Time) ([]indexLink, error) {
	saved, err := filepath.Glob(filepath.Join(figures, "*.html"))
	if err != nil {
		return nil, err
	}
	var links []indexLink
	for _, path := range saved {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.ModTime().Before(since) {
			continue
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, err
		}
		links = append(links, indexLink{filepath.ToSlash(relative), strings.TrimSuffix(filepath.Base(path), ".html")})
	}
	return links, nil
}

// index is the content of the index page.
type index struct {
	Summary   template.HTML // runs, data and results; may be empty
	Explorers []indexLink
	Entries   []indexEntry
}

type indexLink struct{ Address, Name string }

// indexEntry describes a notebook on the index page.
type indexEntry struct {
	Page, Title, Story string
	Thumbnail          template.URL // data URL of a figure; may be empty
}

// describeNotebook returns the title and the first sentence of the notebook's first cell, and its
// first figure: the files of figures begin with the notebook's number.
func describeNotebook(path, figures string) (indexEntry, error) {
	name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
	entry := indexEntry{Page: name + ".html", Title: name}
	raw, err := os.ReadFile(path)
	if err != nil {
		return entry, err
	}
	if cells := readCells(raw); len(cells) > 0 && cells[0].Type == "markdown" {
		title, rest, _ := strings.Cut(strings.TrimSpace(cells[0].text()), "\n\n")
		if strings.HasPrefix(title, "#") {
			entry.Title, entry.Story = firstSentence(title), firstSentence(rest)
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

// thumbnail returns an image, at most thumbnailWidth wide, as a data URL.
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
a { color: #0072b2 }
main a { color: inherit; text-decoration: none; border: 1px solid #ddd; border-radius: 6px; padding: 1em; display: block }
main a:hover, main a:focus { border-color: #0072b2 }
img { width: 100%; height: 170px; object-fit: contain }
h2 { font-size: 1.1em; margin: .4em 0 }
main p { margin: 0; color: #555; font-size: .9em }
section { margin-bottom: 2em; overflow-x: auto; overflow-wrap: anywhere }
table { border-collapse: collapse; font-size: .9em; margin: 1em 0; overflow-wrap: normal }
th, td { padding: .25em .8em; border-bottom: 1px solid #ddd; text-align: left }
</style>
<h1>ffslab notebooks</h1>
{{with .Summary}}<section>{{.}}</section>
{{end}}{{with .Explorers}}<p>Look for outliers yourself: {{range $i, $e := .}}{{if $i}}, {{end}}<a href="{{.Address}}">{{.Name}}</a>{{end}}</p>
{{end}}<main>
{{range .Entries}}<a href="{{.Page}}">{{with .Thumbnail}}<img src="{{.}}" alt="">{{end}}<h2>{{.Title}}</h2><p>{{.Story}}</p></a>
{{end}}</main>
</html>
`))

func writeIndex(path string, content index) error {
	var page bytes.Buffer
	if err := indexPage.Execute(&page, content); err != nil {
		return err
	}
	return renameio.WriteFile(path, page.Bytes(), 0o644)
}
