package explore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/run"
	"ffslab/viz"
	"ffslab/viz/escape"
)

// origin says what the numbers of a run stand on: its data sets (that of its training, and those
// given), seed, configuration and commit. Captions of figures and tables that leave the notebooks
// carry it.
func origin(r run.Named, sets ...*data.Dataset) (string, error) {
	digest, err := r.Config.Digest()
	if err != nil {
		return "", err
	}
	names := []string{r.Config.Data.Train}
	for _, set := range sets {
		names = append(names, set.Label())
	}
	return fmt.Sprintf("Run %s: seed %d, configuration %.12s, commit %s, data %s.", r.Name, r.Config.Train.Seed, digest, r.Config.Origin.Commit,
		strings.Join(names, ", ")), nil
}

// origins joins those of several evaluations.
func origins(evaluations []*protocol.Evaluation) (string, error) {
	var all []string
	for _, e := range evaluations {
		text, err := origin(e.Run, e.Sets...)
		if err != nil {
			return "", err
		}
		all = append(all, text)
	}
	return strings.Join(all, " "), nil
}

// PaperTable is the paper's table of results, in its layout: the published rows, and under them those of the evaluations. The last column says whose each
// number is: numbers of other data sets, detectors or schedules are not to be compared.
func PaperTable(evaluations []*protocol.Evaluation) (table *eval.Table, note string, err error) {
	rows := published
	for _, e := range evaluations {
		for _, set := range e.Sets[1:] {
			outcome := e.Report.Outliers[set.Name]
			if outcome == nil {
				continue
			}
			s, ok := outcome.Scores["energy"]
			if !ok {
				continue
			}
			rows = append(rows[:len(rows):len(rows)], paperRow{
				e.Sets[0].Label(), set.Label(), e.Run.Config.Model.Outlier.Method, "run " + e.Run.Name, 100 * s.FPR95, 100 * s.AUROC, 100 * e.Report.MAP.AP,
			})
		}
	}
	table = eval.NewTable("inlier set", "outlier set", "method", "FPR95 ↓", "AUROC ↑", "mAP ↑", "whose")
	for _, r := range rows {
		table.Add(r.inlier, r.outlier, r.method, fmt.Sprintf("%.2f", r.fpr95), fmt.Sprintf("%.2f", r.auroc), fmt.Sprintf("%.1f", r.ap), r.whose)
	}
	note, err = origins(evaluations)
	return table, "Rows of \"paper\" are published numbers of the authors, on their data sets; all others were measured here. " + note, err
}

// KeepTable saves a table as NAME.md, NAME.csv and NAME.tex in Out/figures and shows it under the cell, with its note. It ends the program if that fails.
func (s *Session) KeepTable(name string, table *eval.Table, note string) {
	dir := filepath.Join(s.Out, "figures")
	Check(os.MkdirAll(dir, 0o755))
	text := table.Markdown() + "\n" + escape.Markdown(note) + "\n"
	for extension, content := range map[string]string{".md": text, ".csv": table.CSV(), ".tex": "% " + escape.Line(note) + "\n" + table.LaTeX()} {
		Check(renameio.WriteFile(filepath.Join(dir, name+extension), []byte(content), 0o644))
	}
	s.Print(markdown(text))
}

type markdown string

func (m markdown) String() string { return string(m) }

// EnergiesByKind draws the energies of inliers (detections on objects of the inlier set), background (detections there on no object, IoU < 0.5, of any
// score) and outliers (on the outlier sets), a panel a run; inliers and outliers are those that count.
func EnergiesByKind(evaluations []*protocol.Evaluation) (*viz.Figure, error) {
	var panels []*viz.Figure
	for _, e := range evaluations {
		inlier, background, err := onAndOffObjects(e)
		if err != nil {
			return nil, err
		}
		groups := []viz.Group{{Name: "inliers", Values: inlier, Color: viz.InlierColor}, {Name: "background", Values: background, Color: viz.Grey}}
		for i := range e.Sets[1:] {
			more, err := outlierEnergies(e, i+1)
			if err != nil {
				return nil, err
			}
			groups = append(groups, more...)
		}
		histogram := viz.Histogram{Title: "run " + e.Run.Name, XLabel: "energy of the detection (nats)"}
		for _, g := range groups {
			if len(g.Values) > 0 {
				histogram.Groups = append(histogram.Groups, g)
			}
		}
		if len(histogram.Groups) == 0 {
			continue
		}
		panel, err := histogram.Figure()
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	if len(panels) == 0 {
		return nil, nothing("nothing was detected: train longer")
	}
	figure, err := viz.Grid(2, panels...)
	if err != nil {
		return nil, err
	}
	origin, err := origins(evaluations)
	figure.Caption = "Energies of detections on objects of the inlier set (blue), on its background (grey: IoU under 0.5 with every object, of any score) and on images of unknown objects; higher means more inlier. " +
		"Each histogram is that of its own detections, n in number. " + origin
	return figure, err
}

// onAndOffObjects are the energies of the inlier set's detections that count and lie on an object, and of all that lie on none.
func onAndOffObjects(e *protocol.Evaluation) (on, off []float64, err error) {
	objects := map[data.ID][]box.COCO{}
	for _, img := range e.Sets[0].Images {
		for _, o := range img.Instances {
			objects[img.ID] = append(objects[img.ID], o.Box.COCO())
		}
	}
	hits := func(d eval.Detection) bool {
		for _, object := range objects[d.ImageID] {
			if eval.IoU(d.Box, object) >= 0.5 {
				return true
			}
		}
		return false
	}
	kept, err := e.Kept(0)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range kept {
		if v, ok := d.OutlierScore("energy"); ok && hits(d) {
			on = append(on, v)
		}
	}
	for _, d := range e.Detections[0] {
		if v, ok := d.OutlierScore("energy"); ok && !hits(d) {
			off = append(off, v)
		}
	}
	return on, off, nil
}

// Pairs draws the first n pictures of a set, by its index in Sets, as each of the runs sees them, a row a picture: with FFS and without, where a run of the
// method none is among them.
func Pairs(evaluations []*protocol.Evaluation, set, n int) (*viz.Figure, error) {
	var shots []viz.Shot
	images := evaluations[0].Sets[set].Images
	for i := range images[:min(n, len(images))] {
		for _, e := range evaluations {
			shot, err := pictures.Shot(e, set, i)
			if err != nil {
				return nil, err
			}
			shot.Caption = "run " + e.Run.Name
			shots = append(shots, shot)
		}
	}
	figure, err := viz.DetectionSheet(shots, max(2, len(evaluations)))
	if err != nil {
		return nil, err
	}
	origin, err := origins(evaluations)
	figure.Caption = fmt.Sprintf("Detections on %s, with their score: those called known (blue), those called unknown by their energy (vermillion, dashed), and the annotated objects (green). %s", evaluations[0].Sets[set].Label(), origin)
	return figure, err
}
