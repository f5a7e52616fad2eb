package explore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/ffs/npz"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// Features are the box features of the annotated objects of a data set, computed by one run.
type Features struct {
	// Set is the data set's name in figures, Classes the names of its categories.
	Set     string
	Classes []string
	// Rows are the features [n][fc_dim]; Class indexes Classes.
	Rows  [][]float32
	Class []int
	// Image is the object's place in the data set, Box its x0, y0, x1, y1 there in pixels.
	Image []int
	Box   [][4]float64
	// Energy (higher means more inlier) and, for a model with a flow, NLL (nats) are the detector's
	// scores of the features.
	Energy, NLL []float64
}

// Largest numbers of objects of a set whose features are computed; quickObjects in a quick session.
const (
	maxObjects   = 1500
	quickObjects = 150
)

// Features returns the box features of up to 1500 annotated objects of the set under the first run.
// They are computed once and stored as .npz.
func (s *Session) Features(set *data.Dataset) (*Features, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	limit := maxObjects
	if s.Quick {
		limit = quickObjects
	}
	source, err := protocol.ProvenanceOf(runs[0].Run, limit, set)
	if err != nil {
		return nil, err
	}
	f := &Features{Set: set.Label()}
	for _, c := range set.Categories {
		f.Classes = append(f.Classes, c.Name)
	}
	path := filepath.Join(s.workDir(runs[0]), "features", protocol.FolderName(set.Label()))
	if source.Matches(path + ".json") {
		if err := f.read(path + ".npz"); !errors.Is(err, errOldFeatures) {
			return f, err
		}
	}
	if err := s.computeFeatures(f, set, limit); err != nil {
		return nil, fmt.Errorf("%s: %w", set.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return f, source.Keep(path+".json", func() error { return f.write(path + ".npz") })
}

func (s *Session) computeFeatures(f *Features, set *data.Dataset, limit int) error {
	model, err := s.Model()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	objects, err := model.ObjectFeatures(ctx, set, limit)
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return nothing("the set holds no objects")
	}
	for _, o := range objects {
		f.Rows, f.Class = append(f.Rows, o.Features), append(f.Class, o.Category)
		f.Energy, f.NLL = append(f.Energy, o.Energy), append(f.NLL, o.NLL)
		f.Image, f.Box = append(f.Image, o.Image), append(f.Box, o.Box)
	}
	return nil
}

func (f *Features) write(path string) error {
	n := len(f.Rows)
	class, image := make([]int32, n), make([]int32, n)
	var boxes []float64
	for i, c := range f.Class {
		class[i], image[i] = int32(c), int32(f.Image[i])
		boxes = append(boxes, f.Box[i][:]...)
	}
	return npz.Write(path, npz.Arrays{
		"features": npz.New(slices.Concat(f.Rows...), n, len(f.Rows[0])),
		"image":    npz.New(image, n), "box": npz.New(boxes, n, 4),
		"class": npz.New(class, n), "energy": npz.New(f.Energy, n), "nll": npz.New(f.NLL, n),
	})
}

// errOldFeatures is the error of a file from an earlier version, which lacks images and boxes.
var errOldFeatures = errors.New("without images and boxes")

func (f *Features) read(path string) error {
	arrays, err := npz.Read(path)
	if err != nil {
		return err
	}
	if arrays["image"] == nil || arrays["box"] == nil {
		return fmt.Errorf("%s: %w", path, errOldFeatures)
	}
	for _, name := range []string{"features", "class", "energy", "nll"} {
		if arrays[name] == nil {
			return fmt.Errorf("%s: the array %q is absent; remove the file, and it is computed again", path, name)
		}
	}
	rows := arrays["features"]
	for row := range slices.Chunk(rows.Float32s(), rows.Shape[1]) {
		f.Rows = append(f.Rows, row)
	}
	for box := range slices.Chunk(arrays["box"].Float64s(), 4) {
		f.Box = append(f.Box, [4]float64(box))
	}
	f.Image = arrays["image"].Ints()
	f.Class, f.Energy, f.NLL = arrays["class"].Ints(), arrays["energy"].Float64s(), arrays["nll"].Float64s()
	return nil
}

// HeldOut returns the features of the inlier set, on which the run was not trained, and of each
// outlier set.
func (s *Session) HeldOut() (inliers *Features, unknown []*Features, err error) {
	sets, err := s.measuredSets()
	if err != nil {
		return nil, nil, err
	}
	all := make([]*Features, len(sets))
	for i, set := range sets {
		if all[i], err = s.Features(set); err != nil {
			return nil, nil, err
		}
	}
	return all[0], all[1:], nil
}

// widen converts rows to float64, for statistics and figures.
func widen(rows [][]float32) [][]float64 {
	wide := make([][]float64, len(rows))
	for i, row := range rows {
		wide[i] = make([]float64, len(row))
		for j, v := range row {
			wide[i][j] = float64(v)
		}
	}
	return wide
}

// unknownColor returns the colour of the i-th outlier set in all figures.
func unknownColor(i int) viz.Color {
	return []viz.Color{viz.UnknownColor, viz.Purple, viz.Black}[i%3]
}

// energies returns the energy of each of the scores.
func energies(scores []infer.Scores) []float64 {
	values := make([]float64, len(scores))
	for i, s := range scores {
		values[i] = s.Energy
	}
	return values
}

// narrow converts rows to float32, for models.
func narrow(rows [][]float64) [][]float32 {
	out := make([][]float32, len(rows))
	for i, row := range rows {
		out[i] = make([]float32, len(row))
		for j, v := range row {
			out[i][j] = float32(v)
		}
	}
	return out
}
