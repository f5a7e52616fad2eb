package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
)

// MaxFeatureBytes is how much the features of a set's detections may take on disk: those of 50 detections in each of 5000 images, of 1024 features in float32.
// If more detections count, an evaluation leaves the post-hoc scores out.
const MaxFeatureBytes = 1 << 30

// Less in tests.
var (
	storedBytes = MaxFeatureBytes // while the model runs
	keptBytes   = MaxFeatureBytes // of the detections that count
)

// Files of features in the folder of a set: those of detections as they come, until it is known which of them count, and then of these.
const (
	allFeaturesFile = "features.partial"
	featuresFile    = "features.npz"
)

// featureFile holds the features of the detections of all images of a set, as little-endian float32, in a place that depends on the image and the detection alone: what an
// interrupted evaluation has written is where the next one looks for it.
type featureFile struct {
	file *os.File
	dim  int
	// perImage is how many detections of an image have their features stored.
	perImage int
}

func openFeatureFile(folder string, dim, images int) (*featureFile, error) {
	file, err := os.OpenFile(filepath.Join(folder, allFeaturesFile), os.O_RDWR|os.O_CREATE, 0o644)
	return &featureFile{file, dim, max(1, storedBytes/(4*dim*max(1, images)))}, err
}

// stored are the detections of an image whose features are stored: those of the most probable proposals, in that order.
func (f *featureFile) stored(detections []eval.Detection) []int {
	probability := make([]float64, len(detections))
	order := make([]int, len(detections))
	for i := range detections {
		order[i], probability[i] = i, detections[i].ProposalProbability()
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case probability[a] > probability[b]:
			return -1
		case probability[a] < probability[b]:
			return 1
		}
		return 0
	})
	return order[:min(f.perImage, len(order))]
}

func (f *featureFile) offset(image, place int) int64 {
	return (int64(image)*int64(f.perImage) + int64(place)) * int64(f.dim) * 4
}

// add writes the features of an image, by its index in the set.
func (f *featureFile) add(image int, detections []eval.Detection, rows [][]float32) error {
	var bytes []byte
	for _, i := range f.stored(detections) {
		for _, v := range rows[i] {
			bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
		}
	}
	_, err := f.file.WriteAt(bytes, f.offset(image, 0))
	return err
}

// row reads the features at a place among those of an image.
func (f *featureFile) row(image, place int) ([]float32, error) {
	bytes := make([]byte, f.dim*4)
	if _, err := f.file.ReadAt(bytes, f.offset(image, place)); err != nil {
		return nil, fmt.Errorf("%s: %w: remove the file to detect anew", f.file.Name(), err)
	}
	row := make([]float32, f.dim)
	for j := range row {
		row[j] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*j:]))
	}
	return row, nil
}

func (f *featureFile) close() error { return f.file.Close() }

// exists reports whether the folder has a file of that name.
func exists(folder, name string) bool {
	_, err := os.Stat(filepath.Join(folder, name))
	return err == nil
}

// forget removes files of the folder, as far as they are there.
func forget(folder string, names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// places returns where the features of every detection of a set are stored: the index of the image and the place among its own, or -1.
func (f *featureFile) places(set *data.Dataset, detections []eval.Detection) (images, at []int) {
	index := make(map[data.ID]int, len(set.Images))
	for i, image := range set.Images {
		index[image.ID] = i
	}
	images, at = make([]int, len(detections)), make([]int, len(detections))
	for from := 0; from < len(detections); {
		to := from + 1
		for to < len(detections) && detections[to].ImageID == detections[from].ImageID {
			to++
		}
		for i := from; i < to; i++ {
			images[i], at[i] = index[detections[i].ImageID], -1
		}
		for place, i := range f.stored(detections[from:to]) {
			at[from+i] = place
		}
		from = to
	}
	return images, at
}
