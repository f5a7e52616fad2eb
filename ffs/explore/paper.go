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

// origin describes where the numbers of a run come from, for the captions of figures and tables in
// papers: seed, configuration, commit, training set and the given sets.
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

// origins joins the origins of several evaluations.
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

// PaperTable returns the paper's table of results in its layout: the published rows, followed by
// those of the evaluations. The last column names the source of each row, because numbers of
// different data sets, detectors or schedules cannot be compared.
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
	table = eval.NewTable("inlier set", "outlier set", "method", "FPR95 ↓", "AUROC ↑", "mAP ↑", "source")
	for _, r := range rows {
		table.Add(r.inlier, r.outlier, r.method, fmt.Sprintf("%.2f", r.fpr95), fmt.Sprintf("%.2f", r.auroc), fmt.Sprintf("%.1f", r.ap), r.source)
	}
	note, err = origins(evaluations)
	return table, "The rows \"paper\" are published by the authors, for their data sets; all others were measured here. " + note, err
}

// KeepTable saves a table with its note as NAME.md, NAME.csv and NAME.tex in Out/figures and shows
// it under the cell. It ends the program if that fails.
func (s *Session) KeepTable(name string, table *eval.Table, note string) {
	dir := filepath.Join(s.Out, "figures")
	Check(os.MkdirAll(dir, 0o755))
	text := table.Markdown() + "\n" + escape.Markdown(note) + "\n"
	for extension, content := range map[string]string{".md": text, ".csv": table.CSV(), ".tex": "% " + escape.Line(note) + "\n" + table.LaTeX()} {
		Check(renameio.WriteFile(filepath.Join(dir, name+extension), []byte(content), 0o644))
	}
	s.Print(Markdown(text))
}

// EnergiesByKind draws histograms of the energies of detections, one panel for each run: on objects
// of the inlier set, on its background (IoU < 0.5 with every object, any score), and on the outlier
// sets. On objects and outlier sets, only detections that count are taken.
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
	origin, err := origins(evaluations)
	if err != nil {
		return nil, err
	}
	caption := viz.Caption("Energies of detections on objects of the inlier set (blue), on its background (grey: IoU under 0.5 with every object, any score) and on images of unknown objects. Higher means more inlier; n is the number of detections. " + origin)
	return caption.Under(viz.Panels("nothing was detected: train longer", panels...))
}

// onAndOffObjects returns the energies of the inlier set's detections that count and lie on an
// object, and of all detections that lie on none.
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

// Pairs draws the detections of every run on the first n images of a set, given by its index in
// Sets: one row for each image, one column for each run. With a run of the method none this
// compares FFS with the plain detector.
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
	origin, err := origins(evaluations)
	if err != nil {
		return nil, err
	}
	caption := viz.Caption(fmt.Sprintf("Detections on %s with their scores: called known (blue), called unknown by the energy (vermillion, dashed); annotated objects (green). %s", evaluations[0].Sets[set].Label(), origin))
	return caption.Under(viz.DetectionSheet(shots, max(2, len(evaluations))))
}
