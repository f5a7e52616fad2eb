package explore

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/protocol"
)

// Evaluation is what the protocol found for one run: the report, and the detections behind it.
type Evaluation struct {
	Run    Run
	Report *eval.Report
	// Sets are the inlier set and then the outlier sets; Detections are those of each of them, of all scores.
	Sets       []*data.Dataset
	Detections [][]eval.Detection
}

// Evaluate measures every run of the session on the inlier and outlier sets. The outcome is kept, as "ffs eval" writes it, and read again
// as long as checkpoint and sets are the same.
func (s *Session) Evaluate() ([]*Evaluation, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	sets, err := s.measuredSets()
	if err != nil {
		return nil, err
	}
	evaluations := make([]*Evaluation, len(runs))
	for i, r := range runs {
		if evaluations[i], err = s.evaluate(r, sets); err != nil {
			return nil, fmt.Errorf("run %s: %w", r.Name, err)
		}
	}
	return evaluations, nil
}

func (s *Session) evaluate(r Run, sets []*data.Dataset) (*Evaluation, error) {
	out := filepath.Join(s.workDir(r), "eval")
	source, err := provenanceOf(r, 0, sets...)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Run: r, Sets: sets}
	record := filepath.Join(out, "source.json")
	if !source.matches(record) {
		if err := forget(record); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(out, 0o755); err != nil {
			return nil, err
		}
		if err := s.measure(r, sets, out); err != nil {
			return nil, err
		}
		if err := source.save(record); err != nil {
			return nil, err
		}
	}
	if e.Report, err = eval.ReadReport(filepath.Join(out, "metrics.json")); err != nil {
		return nil, err
	}
	for _, set := range sets {
		detections, err := eval.ReadDetections(filepath.Join(out, protocol.FolderName(set.Name), "detections.json"))
		if err != nil {
			return nil, err
		}
		e.Detections = append(e.Detections, detections)
	}
	return e, nil
}

// measure runs the protocol on the newest checkpoint of the run.
func (s *Session) measure(r Run, sets []*data.Dataset, out string) error {
	backend, err := s.backend()
	if err != nil {
		return err
	}
	model, err := infer.Open(backend, r.Dir)
	if err != nil {
		return err
	}
	defer model.Close()
	ctx, stop := interruptible()
	defer stop()
	_, err = protocol.Run(ctx, protocol.Options{
		Model: model, Inlier: sets[0], Outliers: sets[1:], Out: out,
		Progress: func(set string, done, total int) {
			if done == total {
				fmt.Printf("run %s: %s, %d pictures\n", r.Name, set, total)
			}
		},
	})
	return err
}

// threshold is the score from which detections count: the one that maximises F1 on the inlier set, or, if nothing was found there that
// settles it, 0.5.
func (e *Evaluation) threshold() float64 {
	if e.Report.ScoreThreshold != nil {
		return *e.Report.ScoreThreshold
	}
	return 0.5
}

// kept are the detections of a set, by its index in Sets, that count, by the original's filter.
func (e *Evaluation) kept(set int) ([]eval.Detection, error) {
	return eval.ByProposal.Keep(e.Detections[set], e.threshold())
}

// scores are an outlier score of the detections of a set that count; higher means more inlier. They are empty where the detections do not
// carry the score.
func (e *Evaluation) scores(set int, name string) ([]float64, error) {
	kept, err := e.kept(set)
	if err != nil {
		return nil, err
	}
	var scores []float64
	for _, d := range kept {
		score, ok := d.OutlierScore(name)
		if !ok {
			return nil, nil
		}
		scores = append(scores, score)
	}
	return scores, nil
}

// Thresholds are those by which pictures are drawn: the score threshold, and the energy that 95 % of the inlier set's detections reach.
func (e *Evaluation) Thresholds() (Thresholds, error) {
	t := Thresholds{Score: e.threshold()}
	energies, err := e.scores(0, "energy")
	if err != nil || len(energies) == 0 {
		return t, err
	}
	energy, err := eval.ThresholdTPR95(energies)
	t.Energy = &energy
	return t, err
}

// found returns the detections of one picture as the model gave them, best first.
func (e *Evaluation) found(set, image int) []infer.Detection {
	classOf := map[int64]int{}
	for i, c := range e.Sets[0].Categories {
		id := c.ID
		if id == 0 { // as package protocol numbers classes that the annotations do not have
			id = int64(i + 1)
		}
		classOf[id] = i
	}
	var found []infer.Detection
	for _, d := range e.Detections[set] {
		if d.ImageID != e.Sets[set].Images[image].ID {
			continue
		}
		detection := infer.Detection{
			Class: classOf[d.CategoryID], Score: d.Score,
			Box: [4]float64{d.Box[0], d.Box[1], d.Box[0] + d.Box[2], d.Box[1] + d.Box[3]},
		}
		if d.Energy != nil {
			detection.Energy = *d.Energy
		}
		found = append(found, detection)
	}
	slices.SortStableFunc(found, func(a, b infer.Detection) int { return cmp.Compare(b.Score, a.Score) })
	return found
}
