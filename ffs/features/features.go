// Package features exchanges what a detector computed for boxes as .npz files, which NumPy can read
// and write:
//
//	import numpy as np
//	f = np.load("features.npz")
//	x, logits, classes = f["features"], f["logits"], f["classes"]
//	boxes, image_ids = f["boxes"], f["image_ids"]
//	print(np.abs(x @ f["W"].T + f["b"] - logits).max())  # 0, but for rounding
//	print([name for name in f if name.startswith("score/")])
//
// A file has these members, for n rows, d features and K inlier classes. Each may be absent:
//
//	features     [n, d]    float32  input of the class layer
//	logits       [n, K+1]  float32  background last; [n, K] without
//	classes      [n]       int64    0 to K-1: annotated (objects) or predicted (detections)
//	boxes        [n, 4]    float32  x, y, width, height in pixels of the image
//	image_ids    [n]       int64    of the annotation file, if they are integers
//	detections   [n]       int64    entries of the results file, from 0; default: row i is entry i
//	scores       [n]       float64  probability of the detection's own class
//	score/NAME   [n]       float64  outlier score, higher for more inlier
//	W, b         [K+1, d], [K+1]  float32  class layer; [K, d], [K] without the background
//	num_classes  scalar    int64    K; by default logits and W are assumed to have the background
//
// Floating-point members may be float32 or float64, integers of any size.
package features

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/npz"
	"ffslab/ffs/score"
)

// Table is the content of a feature file with n rows. Absent parts are nil.
type Table struct {
	// From names the file, in errors.
	From string
	// NumClasses is the number K of inlier classes.
	NumClasses int
	Features   *Matrix // [n, d]
	Logits     *Matrix // [n, K+1] or [n, K]
	Classes    []int
	Boxes      *Matrix // [n, 4]
	ImageIDs   []int64
	// Detections are the entries of the results file that the rows belong to.
	Detections []int
	Scores     []float64
	// Named holds outlier scores, higher for more inlier.
	Named map[string][]float64
	W     *Matrix // [K+1, d] or [K, d]
	B     []float32
}

// Matrix is a row-major matrix of float32.
type Matrix struct {
	Rows, Columns int
	Data          []float32
}

// Append adds a row. The first row determines the number of columns.
func (m *Matrix) Append(row []float32) {
	m.Rows, m.Columns, m.Data = m.Rows+1, len(row), append(m.Data, row...)
}

// Row returns row i, which shares memory with the matrix.
func (m *Matrix) Row(i int) []float32 { return m.Data[i*m.Columns : (i+1)*m.Columns] }

// dense returns the matrix in float64, or nil if m is nil or empty, since gonum has no empty
// matrix.
func (m *Matrix) dense() *mat.Dense {
	if m == nil || len(m.Data) == 0 {
		return nil
	}
	data := make([]float64, len(m.Data))
	for i, v := range m.Data {
		data[i] = float64(v)
	}
	return mat.NewDense(m.Rows, m.Columns, data)
}

const scorePrefix = "score/"

// Len returns the number of rows.
func (t *Table) Len() int {
	switch {
	case t.Features != nil:
		return t.Features.Rows
	case t.Logits != nil:
		return t.Logits.Rows
	}
	return len(t.Classes)
}

// Rows returns the rows in the form of package score.
func (t *Table) Rows() score.Features {
	return score.Features{From: t.From, X: t.Features.dense(), Logits: t.Logits.dense(), Labels: t.Classes, Classes: t.NumClasses, Given: t.Named}
}

// Slice returns rows i to j-1, which share memory with the table.
func (t *Table) Slice(i, j int) *Table {
	part := *t
	for _, m := range []**Matrix{&part.Features, &part.Logits, &part.Boxes} {
		if *m != nil {
			*m = &Matrix{Rows: j - i, Columns: (*m).Columns, Data: (*m).Data[i*(*m).Columns : j*(*m).Columns]}
		}
	}
	part.Classes, part.ImageIDs, part.Detections, part.Scores = cut(t.Classes, i, j), cut(t.ImageIDs, i, j), cut(t.Detections, i, j), cut(t.Scores, i, j)
	part.Named = make(map[string][]float64, len(t.Named))
	for name, values := range t.Named {
		part.Named[name] = values[i:j]
	}
	return &part
}

// cut returns values[i:j], and nil for an absent part.
func cut[T any](values []T, i, j int) []T {
	if values == nil {
		return nil
	}
	return values[i:j]
}

// Layer returns the class layer, zero if the table has none.
func (t *Table) Layer() score.Layer {
	layer := score.Layer{W: t.W.dense()}
	for _, b := range t.B {
		layer.B = append(layer.B, float64(b))
	}
	return layer
}

// Write writes the table, whole or not at all. It is an error if [Read] would reject the table.
func (t *Table) Write(path string) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	arrays := npz.Arrays{"num_classes": npz.New([]int64{int64(t.NumClasses)})}
	for name, m := range map[string]*Matrix{"features": t.Features, "logits": t.Logits, "boxes": t.Boxes, "W": t.W} {
		if m != nil {
			arrays[name] = npz.New(m.Data, m.Rows, m.Columns)
		}
	}
	for name, ints := range map[string][]int{"classes": t.Classes, "detections": t.Detections} {
		if ints != nil {
			wide := make([]int64, len(ints))
			for i, v := range ints {
				wide[i] = int64(v)
			}
			arrays[name] = npz.New(wide, len(wide))
		}
	}
	if t.ImageIDs != nil {
		arrays["image_ids"] = npz.New(t.ImageIDs, len(t.ImageIDs))
	}
	if t.Scores != nil {
		arrays["scores"] = npz.New(t.Scores, len(t.Scores))
	}
	if t.B != nil {
		arrays["b"] = npz.New(t.B, len(t.B))
	}
	for name, values := range t.Named {
		arrays[scorePrefix+name] = npz.New(values, len(values))
	}
	return npz.Write(path, arrays)
}

// Read reads a feature file. It ignores other members. Members that contradict each other, numbers
// that are not finite and classes out of range are errors that name the file, the member and the
// row.
func Read(path string) (*Table, error) {
	arrays, err := npz.Read(path)
	if err != nil {
		return nil, err
	}
	t := &Table{From: path}
	if err := t.fill(arrays); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// The error of Check names the file.
	return t, t.Rows().Check()
}

func (t *Table) fill(arrays npz.Arrays) error {
	for _, part := range []struct {
		name string
		to   **Matrix
	}{{"features", &t.Features}, {"logits", &t.Logits}, {"boxes", &t.Boxes}, {"W", &t.W}} {
		a, ok := arrays[part.name]
		if !ok {
			continue
		}
		if len(a.Shape) != 2 {
			return fmt.Errorf("%s has the shape %v, want [rows, columns]", part.name, a.Shape)
		}
		*part.to = &Matrix{Rows: a.Shape[0], Columns: a.Shape[1], Data: a.Float32s()}
	}
	for name, a := range arrays {
		named, isScore := strings.CutPrefix(name, scorePrefix)
		if !isScore && !slices.Contains([]string{"classes", "image_ids", "detections", "scores", "b"}, name) {
			continue
		}
		if len(a.Shape) != 1 {
			return fmt.Errorf("%s has the shape %v, want [rows]", name, a.Shape)
		}
		switch {
		case isScore:
			if t.Named == nil {
				t.Named = map[string][]float64{}
			}
			t.Named[named] = a.Float64s()
		case name == "classes":
			t.Classes = a.Ints()
		case name == "detections":
			t.Detections = a.Ints()
		case name == "image_ids":
			if ids, exact := a.Data.([]int64); exact {
				t.ImageIDs = ids
				continue
			}
			for _, id := range a.Ints() {
				t.ImageIDs = append(t.ImageIDs, int64(id))
			}
		case name == "scores":
			t.Scores = a.Float64s()
		case name == "b":
			t.B = a.Float32s()
		}
	}
	switch a, ok := arrays["num_classes"]; {
	case ok && a.Size() != 1:
		return fmt.Errorf("num_classes has the shape %v, want one number", a.Shape)
	case ok:
		t.NumClasses = a.Ints()[0]
	case t.W != nil:
		t.NumClasses = t.W.Rows - 1
	case t.Logits != nil:
		t.NumClasses = t.Logits.Columns - 1
	case len(t.Classes) > 0:
		t.NumClasses = slices.Max(t.Classes) + 1
	}
	return nil
}

// check returns an error if the parts' shapes contradict each other, or if a number of the parts
// that [score.Features] does not hold is not finite.
func (t *Table) check() error {
	if t.Features == nil && t.Logits == nil {
		return errors.New("not a feature file: it has neither features nor logits")
	}
	n := t.Len()
	type part struct {
		name string
		rows int
	}
	parts := []part{{"classes", len(t.Classes)}, {"image_ids", len(t.ImageIDs)}, {"detections", len(t.Detections)}, {"scores", len(t.Scores)}}
	present := []bool{t.Classes != nil, t.ImageIDs != nil, t.Detections != nil, t.Scores != nil}
	for name, values := range t.Named {
		parts, present = append(parts, part{scorePrefix + name, len(values)}), append(present, true)
	}
	for name, m := range map[string]*Matrix{"logits": t.Logits, "boxes": t.Boxes} {
		if m != nil {
			parts, present = append(parts, part{name, m.Rows}), append(present, true)
		}
	}
	for i, p := range parts {
		if present[i] && p.rows != n {
			return fmt.Errorf("%s: %d rows, but there are %d", p.name, p.rows, n)
		}
	}
	if t.Boxes != nil && t.Boxes.Columns != 4 {
		return fmt.Errorf("boxes have %d columns, want x, y, width, height", t.Boxes.Columns)
	}
	for i, d := range t.Detections {
		if d < 0 {
			return fmt.Errorf("detections: row %d is %d, want an entry of the results file, from 0", i, d)
		}
	}
	if t.W != nil {
		if t.Features != nil && t.Features.Rows > 0 && t.W.Columns != t.Features.Columns {
			return fmt.Errorf("layer W has %d columns, but features have %d", t.W.Columns, t.Features.Columns)
		}
		if len(t.B) != t.W.Rows || t.W.Rows < t.NumClasses || t.W.Rows > t.NumClasses+1 {
			return fmt.Errorf("layer W has %d rows and b %d, but there are %d classes: want one for each, and perhaps one for the background", t.W.Rows, len(t.B), t.NumClasses)
		}
	}
	return t.checkNumbers()
}

func (t *Table) checkNumbers() error {
	for name, m := range map[string]*Matrix{"boxes": t.Boxes, "W": t.W} {
		if m == nil {
			continue
		}
		for i, v := range m.Data {
			if !isFinite(float64(v)) {
				return fmt.Errorf("%s: row %d, column %d is %g", name, i/m.Columns, i%m.Columns, v)
			}
		}
	}
	for i, v := range t.B {
		if !isFinite(float64(v)) {
			return fmt.Errorf("b: row %d is %g", i, v)
		}
	}
	for i, v := range t.Scores {
		if !isFinite(v) {
			return fmt.Errorf("scores: row %d is %g", i, v)
		}
	}
	return nil
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
