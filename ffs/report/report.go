// Package report writes an evaluation as one HTML page, a file that needs nothing else: run, data,
// tables, figures, and images of the most and the least certain detections.
package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"ffslab/ffs/eval/figures"
	"ffslab/ffs/explore"
	"ffslab/ffs/protocol"
	"ffslab/viz"
	"ffslab/viz/escape"
)

// Save writes the page to path, whole or not at all. It links to the first of the explorers that
// exists and belongs to the run (see [Explorers]). If something cannot be drawn, such as images
// that were removed, the page says so.
func Save(e *protocol.Evaluation, path string, explorers ...string) error {
	p, err := newPage(e, path, explorers)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, p); err != nil {
		return err
	}
	return renameio.WriteFile(path, text.Bytes(), 0o644)
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// page is the content of the template. All its texts are single lines.
type page struct {
	Title    string
	Facts    []fact
	Notes    []string
	Results  template.HTML
	Figures  []template.HTML
	Pictures []picture
	Tables   template.HTML
	Explorer string // relative address, "" for none
}

type fact struct{ Name, Text string }

func newPage(e *protocol.Evaluation, path string, explorers []string) (*page, error) {
	p := &page{Title: "Run " + escape.Line(e.Run.Name)}
	if err := p.addFacts(e); err != nil {
		return nil, err
	}
	var err error
	if p.Results, err = fromMarkdown(e.Report.WriteSummary); err != nil {
		return nil, err
	}
	if p.Tables, err = fromMarkdown(e.Report.WriteMarkdown); err != nil {
		return nil, err
	}
	if err := p.addFigures(e); err != nil {
		return nil, err
	}
	if err := p.addPictures(e); err != nil {
		return nil, err
	}
	return p, p.link(e, path, explorers)
}

func (p *page) add(name, text string) {
	if text != "" {
		p.Facts = append(p.Facts, fact{name, escape.Line(text)})
	}
}

// addFacts adds what was measured.
func (p *page) addFacts(e *protocol.Evaluation) error {
	c := e.Run.Config
	digest, err := c.Digest()
	if err != nil {
		return err
	}
	if s := e.Report.Subject; s != nil {
		state := ""
		switch {
		case s.Unfinished():
			state = " (the training is not finished)"
		case s.Step == 0:
			state = " (imported weights)"
		}
		p.add("Step", fmt.Sprintf("%d of %d%s", s.Step, s.Steps, state))
		p.add("Weights", fmt.Sprintf("%.12s", s.Weights))
	}
	p.add("Outliers by", fmt.Sprintf("%s, seed %d", c.Model.Outlier.Method, c.Train.Seed))
	p.add("Configuration", fmt.Sprintf("%.12s", digest))
	p.add("Trained by", c.Origin.Command)
	p.add("Commit of the training", c.Origin.Commit)
	if s := e.Report.Subject; s != nil {
		p.add("Commit of the measurement", s.Commit)
	}
	p.add("Known classes", fmt.Sprintf("%d: %s", len(c.Model.Classes), shortened(c.Model.Classes)))
	p.add("Training set", c.Data.Train)
	for i, set := range e.Sets {
		kind := "Outlier set"
		if i == 0 {
			kind = "Inlier set"
		}
		described := protocol.Describe(set)
		p.add(kind, described.String())
	}
	p.add("Corruption", e.Report.Corruption)
	return nil
}

// shortened joins names, only the first if there are many.
func shortened(names []string) string {
	const most = 40
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d others", strings.Join(names[:most], ", "), len(names)-most)
}

// fromMarkdown converts a report's tables to HTML, from the first heading on. Names are escaped in
// the Markdown; HTML in it would be left out.
func fromMarkdown(write func(io.Writer) error) (template.HTML, error) {
	var text, page bytes.Buffer
	if err := write(&text); err != nil {
		return "", err
	}
	tables := text.Bytes()
	if i := bytes.Index(append([]byte("\n"), tables...), []byte("\n## ")); i > 0 {
		tables = tables[i:]
	}
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert(tables, &page); err != nil {
		return "", err
	}
	return template.HTML(page.String()), nil
}

// maxSets is the largest number of sets with figures and images.
const maxSets = 6

// few returns the evaluation with its first sets only.
func few(e *protocol.Evaluation) *protocol.Evaluation {
	if len(e.Sets) <= maxSets {
		return e
	}
	part := *e
	part.Sets, part.Detections = e.Sets[:maxSets], e.Detections[:maxSets]
	return &part
}

// addFigures adds curves, distributions and the figures of "ffs eval".
func (p *page) addFigures(e *protocol.Evaluation) error {
	report := e.Report
	if len(e.Sets) > maxSets {
		p.Notes = append(p.Notes, fmt.Sprintf("Figures and images are those of the first %d of %d sets; the tables hold all.", maxSets, len(e.Sets)))
	}
	one := []*protocol.Evaluation{few(e)}
	draws := []func() (*viz.Figure, error){
		func() (*viz.Figure, error) { return explore.ROC(one) },
		func() (*viz.Figure, error) { return explore.EnergyHistogram(one) },
		func() (*viz.Figure, error) { return figures.WhichScore(report.Ranking()) },
	}
	if report.Calibration != nil {
		draws = append(draws, func() (*viz.Figure, error) { return figures.Reliability(report.Calibration) })
	}
	drawn := 0
	for _, set := range slices.Sorted(maps.Keys(report.Confusion)) {
		if confusion := report.Confusion[set]; len(confusion.Objects) > 0 && drawn < maxSets {
			drawn++
			draws = append(draws, func() (*viz.Figure, error) { return figures.Confusion(report.Label(set), confusion) })
		}
	}
	for _, draw := range draws {
		figure, err := draw()
		if errors.Is(err, viz.ErrNothing) {
			continue
		}
		if err != nil {
			return err
		}
		block, err := figure.HTML()
		if err != nil {
			return err
		}
		p.Figures = append(p.Figures, template.HTML(block))
	}
	return nil
}
