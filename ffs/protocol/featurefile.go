package protocol

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
)

// maxFeatureBytes bounds the disk space for the features of a set's detections: 50 detections in
// each of 5000 images with 1024 features in float32. If more detections count, an evaluation leaves
// out the post-hoc scores.
const maxFeatureBytes = 1 << 30

// Limits, which tests lower.
var (
	storedBytes = maxFeatureBytes // while the model runs
	keptBytes   = maxFeatureBytes // of the detections that count
)

// Files of features in the folder of a set: of all detections, until it is known which of them
// count, and then of those only.
const (
	allFeaturesFile = "features.partial"
	featuresFile    = "features.npz"
)

// featureFile holds the features of the detections of all images of a set, as little-endian
// float32. Their position depends only on the image and the detection, so that an evaluation can
// continue an interrupted one.
type featureFile struct {
	file *os.File
	dim  int
	// perImage is the number of detections of an image whose features are stored.
	perImage int
}

func openFeatureFile(folder string, dim, images int) (*featureFile, error) {
	file, err := os.OpenFile(filepath.Join(folder, allFeaturesFile), os.O_RDWR|os.O_CREATE, 0o644)
	return &featureFile{file, dim, max(1, storedBytes/(4*dim*max(1, images)))}, err
}

// stored returns the indices of the detections of an image whose features are stored, the most
// probable proposals first.
func (f *featureFile) stored(detections []eval.Detection) []int {
	probability := make([]float64, len(detections))
	order := make([]int, len(detections))
	for i := range detections {
		order[i], probability[i] = i, detections[i].ProposalProbability()
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(probability[b], probability[a]) })
	return order[:min(f.perImage, len(order))]
}

func (f *featureFile) offset(image, place int) int64 {
	return (int64(image)*int64(f.perImage) + int64(place)) * int64(f.dim) * 4
}

// add writes the features of an image, given by its index in the set.
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

// row reads the features at a place in the list that stored returns for the image.
func (f *featureFile) row(image, place int) ([]float32, error) {
	bytes := make([]byte, f.dim*4)
	if _, err := f.file.ReadAt(bytes, f.offset(image, place)); err != nil {
		return nil, fmt.Errorf("%s: %w: remove the file to detect again", f.file.Name(), err)
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

// forget removes files of the folder if they exist.
func forget(folder string, names ...string) error {
	for _, name := range names {
		if err := Forget(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// places returns, for every detection of a set, the index of its image and its place in the list
// that stored returns for the image, or -1.
func (f *featureFile) places(set *data.Dataset, detections []eval.Detection) (images, at []int) {
	index := set.Indices()
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
