package tensorboard

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/tensorboard/event"
	"ffslab/viz"
)

// Numbers of detections and crops on a sheet.
const (
	shownCertain = 8
	shownTaken   = 24
)

// SaveEvaluation writes an evaluation to the folder dir, at the step of the weights: measures of
// detection and of every outlier score on every outlier set, histograms of the model's own scores,
// the most and the least certain detections, and unknown objects that are taken for known ones. It
// replaces an earlier evaluation. Images that cannot be drawn are reported to note.
func SaveEvaluation(e *protocol.Evaluation, dir string, note func(string)) error {
	if err := saveHParams(e.Run, dir); err != nil {
		return err
	}
	values := numbers(e)
	for i, set := range e.Sets {
		for _, name := range eval.ScoreNames {
			scores, err := e.Scores(i, name)
			if err != nil {
				return err
			}
			if h := histogram(name+"/"+protocol.FolderName(set.Label()), scores); h != nil {
				values = append(values, h)
			}
		}
	}
	sheets, err := sheets(e, note)
	if err != nil {
		return err
	}
	step := 0
	if e.Report.Subject != nil {
		step = e.Report.Subject.Step
	}
	return saveEvents(evaluationFile(dir), func(w writer) error { return w.values(step, append(values, sheets...)...) })
}

func evaluationFile(dir string) string {
	return filepath.Join(dir, "eval", "events.out.tfevents.0.eval")
}

// Holds reports whether the folder holds events that were written after the report at the path.
func Holds(dir, report string) bool {
	there, err := os.Stat(evaluationFile(dir))
	if err != nil {
		return false
	}
	measured, err := os.Stat(report)
	return err == nil && !there.ModTime().Before(measured.ModTime())
}

// numbers returns the measures of the report, as fractions.
func numbers(e *protocol.Evaluation) []*event.Value {
	r := e.Report
	values := []*event.Value{scalar("detection/AP", r.MAP.AP), scalar("detection/AP50", r.MAP.AP50), scalar("detection/AP75", r.MAP.AP75)}
	if r.ScoreThreshold != nil {
		values = append(values, scalar("detection/score_threshold", *r.ScoreThreshold))
	}
	if r.Calibration != nil {
		values = append(values, scalar("detection/ECE", r.Calibration.ECE))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outliers)) {
		outcome, set := r.Outliers[name], protocol.FolderName(r.Label(name))
		for _, score := range slices.Sorted(maps.Keys(outcome.Scores)) {
			s := outcome.Scores[score]
			for measure, value := range map[string]float64{"AUROC": s.AUROC, "AUPR": s.AUPR, "FPR95": s.FPR95} {
				values = append(values, scalar(measure+"_"+set+"/"+score, value))
			}
		}
		if o := outcome.OpenSet; o != nil {
			values = append(values, scalar("open_set_"+set+"/AP_U", o.APUnknown), scalar("open_set_"+set+"/recall_U", o.RecallUnknown), scalar("open_set_"+set+"/A-OSE", float64(o.AOSE)))
		}
	}
	slices.SortFunc(values, func(a, b *event.Value) int { return cmp.Compare(a.Tag, b.Tag) })
	return values
}

// sheets returns the images of all sets.
func sheets(e *protocol.Evaluation, note func(string)) ([]*event.Value, error) {
	var values []*event.Value
	for i, set := range e.Sets {
		for _, sheet := range []struct {
			tag  string
			draw func() (*viz.Figure, error)
		}{
			{"most_certain", func() (*viz.Figure, error) { return pictures.Certain(e, i, shownCertain, false) }},
			{"least_certain", func() (*viz.Figure, error) { return pictures.Certain(e, i, shownCertain, true) }},
			{"taken_for_known", func() (*viz.Figure, error) {
				if i == 0 {
					return nil, viz.ErrNothing
				}
				return pictures.TakenForKnown(e, i, shownTaken)
			}},
		} {
			figure, err := sheet.draw()
			if errors.Is(err, viz.ErrNothing) {
				continue
			}
			if err != nil {
				note("no image for TensorBoard: " + err.Error())
				continue
			}
			value, err := imageOf(sheet.tag+"/"+protocol.FolderName(set.Label()), figure)
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		}
	}
	return values, nil
}
