package heads

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/features"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/npz"
	"ffslab/ffs/protocol"
	"ffslab/ffs/study"
)

// cell is what one setting and seed gave.
type cell struct {
	// losses are the scalars of the last training steps (see detector.Losses), empty for the
	// detector itself.
	losses map[string]float64
	// scores are, for each set, the values of each score of the detections that count.
	scores []map[string][]float64
	// notMeasured says of scores that could not be fitted why.
	notMeasured map[string]string
}

// cells trains and measures the heads of a setting, one for each seed, as far as that is not done.
// doing is told of each.
func (o Options) cells(ctx context.Context, f *extracted, s study.Setting, doing func(seed int, what string)) ([]cell, error) {
	var t *trainer
	var all []cell
	for i, seed := range o.Seeds {
		key, err := o.key(f, s, seed)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(o.Out, "cells", fmt.Sprintf("%s-seed%d", s.Name, seed))
		c, ok := readCell(path, key, len(o.Sets))
		if !ok {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			doing(i, "training")
			if t == nil {
				backend, err := o.Backend()
				if err != nil {
					return nil, err
				}
				if t, err = newTrainer(backend, s.Config); err != nil {
					return nil, err
				}
				defer t.close()
			}
			if c.losses, err = t.train(ctx, f.pool, seed); err != nil {
				return nil, fmt.Errorf("seed %d: %w", seed, err)
			}
			doing(i, "measuring")
			if err := c.measure(t, f, o.scores()); err != nil {
				return nil, fmt.Errorf("seed %d: %w", seed, err)
			}
			if err := c.write(path, key); err != nil {
				return nil, err
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// key identifies what a cell was made from.
func (o Options) key(f *extracted, s study.Setting, seed int64) (string, error) {
	c := s.Config
	c.Train.Seed = seed
	digest, err := c.Digest()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal([]any{digest, f.from, f.kept.Report.ScoreThreshold, f.fit.Len(), o.scores()})
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}

// measure scores the detections by the head that was trained last.
func (c *cell) measure(t *trainer, f *extracted, names []string) error {
	tables := append([]*features.Table{f.fit}, f.detections...)
	var x []float32
	n := 0
	for _, table := range tables {
		x, n = append(x, table.Features.Data...), n+table.Len()
	}
	h, logits, err := t.outputs(x, n)
	if err != nil {
		return err
	}
	weights, biases, err := t.classLayer()
	if err != nil {
		return err
	}
	dim, k := len(h)/n, len(biases)
	made, from := []*features.Table{}, 0
	for _, table := range tables {
		to := from + table.Len()
		made = append(made, &features.Table{
			From: table.From, NumClasses: table.NumClasses, Classes: table.Classes,
			Features: &features.Matrix{Rows: to - from, Columns: dim, Data: h[from*dim : to*dim]},
			Logits:   &features.Matrix{Rows: to - from, Columns: k, Data: logits[from*k : to*k]},
			W:        &features.Matrix{Rows: k, Columns: dim, Data: weights}, B: biases,
		})
		from = to
	}
	return c.fit(made, names)
}

// fit fits the scores on the first table and takes those of the others.
func (c *cell) fit(tables []*features.Table, names []string) error {
	fitted, err := posthoc.Fit(names, tables[0].Rows(), tables[0].Layer())
	if err != nil {
		return err
	}
	for _, table := range tables[1:] {
		scored := make([]eval.Detection, table.Len())
		rows := table.Rows()
		rows.Given = nil // what the detector says itself is not the head's
		if err := fitted.Score(scored, rows); err != nil {
			return err
		}
		columns := map[string][]float64{}
		for _, d := range scored {
			for name, v := range d.Scores {
				columns[name] = append(columns[name], v)
			}
		}
		c.scores = append(c.scores, columns)
	}
	c.notMeasured = fitted.NotMeasured
	return nil
}

// sides returns, for each cell and an outlier set by its index, what a score says of its detections
// and of the inlier set's; nil if the score was not measured.
func sides(cells []cell, f *extracted, set int, name string) ([]eval.Sides, error) {
	var all []eval.Sides
	for _, c := range cells {
		e := *f.kept
		e.Detections = slices.Clone(e.Detections)
		for _, i := range []int{0, set} {
			values := c.scores[i][name]
			if len(values) != len(e.Detections[i]) {
				return nil, nil
			}
			e.Detections[i] = slices.Clone(e.Detections[i])
			for j := range values {
				e.Detections[i][j].Scores = map[string]float64{name: values[j]}
			}
		}
		s, ok, err := e.Compared(set, name)
		if err != nil || !ok {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// cellRecord is the content of a cell's .json file, which is written after its scores.
type cellRecord struct {
	Key         string             `json:"key"`
	Losses      map[string]float64 `json:"losses"`
	NotMeasured map[string]string  `json:"scores_not_measured,omitempty"`
}

func (c *cell) write(path, key string) error {
	arrays := npz.Arrays{}
	for i, columns := range c.scores {
		for name, values := range columns {
			arrays[fmt.Sprintf("%d/%s", i, name)] = npz.New(values, len(values))
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := protocol.Forget(path + ".json"); err != nil {
		return err
	}
	if err := npz.Write(path+".npz", arrays); err != nil {
		return err
	}
	return jsonfile.Write(path+".json", cellRecord{key, c.losses, c.notMeasured})
}

// readCell reads a cell that was made from the same; false if there is none.
func readCell(path, key string, sets int) (c cell, ok bool) {
	var there cellRecord
	if jsonfile.Read(path+".json", &there) != nil || there.Key != key {
		return c, false
	}
	arrays, err := npz.Read(path + ".npz")
	if err != nil {
		return c, false
	}
	c = cell{losses: there.Losses, scores: make([]map[string][]float64, sets), notMeasured: there.NotMeasured}
	for i := range c.scores {
		c.scores[i] = map[string][]float64{}
		for name, array := range arrays {
			if column, ok := strings.CutPrefix(name, fmt.Sprintf("%d/", i)); ok {
				c.scores[i][column] = array.Float64s()
			}
		}
	}
	return c, true
}
