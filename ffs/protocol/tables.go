package protocol

import (
	"context"
	"fmt"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/infer"
)

// newTable returns a table without rows, with the model's classes and class layer.
func newTable(m *infer.Model, from string) (*features.Table, error) {
	weights, biases, err := m.ClassLayer()
	if err != nil {
		return nil, err
	}
	t := &features.Table{
		From: from, NumClasses: len(m.Config.Model.Classes), Features: &features.Matrix{Columns: m.Config.Model.ROI.FeatureDim(), Data: []float32{}},
		Logits: &features.Matrix{Columns: len(biases), Data: []float32{}}, Classes: []int{}, W: &features.Matrix{}, B: biases, Named: map[string][]float64{},
	}
	for _, row := range weights {
		t.W.Append(row)
	}
	return t, nil
}

// ObjectTable returns the features of the annotated objects of a set, whose categories are the
// model's classes. If limit is not 0, it takes images spread evenly over the set that hold about
// limit objects.
func ObjectTable(ctx context.Context, m *infer.Model, set *data.Dataset, limit int) (*features.Table, error) {
	part := spread(set, limit)
	objects, err := m.ObjectFeatures(ctx, part, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", set.Name, err)
	}
	t, err := newTable(m, set.Name)
	if err != nil {
		return nil, err
	}
	t.Boxes = &features.Matrix{Columns: 4, Data: []float32{}}
	for _, o := range objects {
		t.Features.Append(o.Features)
		t.Logits.Append(logits(t, o.Features))
		t.Classes = append(t.Classes, o.Category)
		b := o.Box
		t.Boxes.Append([]float32{float32(b[0]), float32(b[1]), float32(b[2] - b[0]), float32(b[3] - b[1])})
		for name, value := range m.ScoresByName(o.Scores) {
			t.Named[name] = append(t.Named[name], value)
		}
	}
	t.ImageIDs = integers(len(objects), func(i int) data.ID { return part.Images[objects[i].Image].ID })
	return t, nil
}

// spread returns a set of images, spread evenly over the set, that hold about limit objects. It
// returns the set itself if it has no more, or if limit is 0.
func spread(set *data.Dataset, limit int) *data.Dataset {
	total := totalObjects(set)
	if limit <= 0 || total <= limit {
		return set
	}
	part := *set
	part.Images = nil
	seen, taken := 0, 0
	for _, image := range set.Images {
		n := objectsOf(image)
		seen += n
		if n > 0 && taken+n <= seen*limit/total { // the same share throughout the set
			part.Images, taken = append(part.Images, image), taken+n
		}
	}
	return &part
}

// totalObjects returns the number of objects in all images of a set.
func totalObjects(set *data.Dataset) int {
	total := 0
	for _, image := range set.Images {
		total += objectsOf(image)
	}
	return total
}

func objectsOf(image data.Image) int {
	n := 0
	for _, o := range image.Instances {
		if !o.Crowd {
			n++
		}
	}
	return n
}

// integers returns the ids of the rows, or nil if one is not an integer, since a feature file holds
// only integers.
func integers(n int, id func(i int) data.ID) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		v := id(i)
		if v.String() != fmt.Sprint(int64(v)) {
			return nil
		}
		ids[i] = int64(v)
	}
	return ids
}

// logits returns the logits that the table's class layer computes from features.
func logits(t *features.Table, x []float32) []float32 {
	out := slices.Clone(t.B)
	for k := range out {
		sum := 0.0
		for j, w := range t.W.Row(k) {
			sum += float64(w) * float64(x[j])
		}
		out[k] += float32(sum)
	}
	return out
}

// DetectionTable returns a table of the detections with the given entries, with their features. ids
// are the category ids of the model's classes.
func DetectionTable(m *infer.Model, from string, detections []eval.Detection, entries []int, ids []data.ID,
	row func(entry int) ([]float32, error)) (*features.Table, error) {
	t, err := newTable(m, from)
	if err != nil {
		return nil, err
	}
	t.Boxes, t.Scores, t.Detections = &features.Matrix{Columns: 4, Data: []float32{}}, []float64{}, []int{}
	for _, entry := range entries {
		d := detections[entry]
		x, err := row(entry)
		if err != nil {
			return nil, err
		}
		t.Features.Append(x)
		wide := make([]float32, len(d.Logits))
		for k, l := range d.Logits {
			wide[k] = float32(l)
		}
		t.Logits.Append(wide)
		t.Classes = append(t.Classes, slices.Index(ids, d.CategoryID))
		t.Boxes.Append([]float32{float32(d.Box[0]), float32(d.Box[1]), float32(d.Box[2]), float32(d.Box[3])})
		t.Scores = append(t.Scores, d.Score)
		t.Detections = append(t.Detections, entry)
		for _, name := range m.ScoreNames() {
			t.Named[name] = append(t.Named[name], d.Scores[name])
		}
	}
	t.ImageIDs = integers(len(entries), func(i int) data.ID { return detections[entries[i]].ImageID })
	return t, nil
}
