package infer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/detector"
	"ffslab/ffs/eval"
	"ffslab/ffs/roi"
)

// Scores holds the outlier scores of a box feature. Energy, WeightedEnergy and Logistic are higher
// for inliers, NLL is higher for outliers. WeightedEnergy and Logistic are 0 unless
// [Model.HasEnergy], NLL is 0 unless [Model.HasFlow].
type Scores struct {
	Energy, WeightedEnergy, Logistic, NLL float64
}

// ImageDetections holds the detections of one image, best first, and their box features.
type ImageDetections struct {
	// Index is the index of the image in the data set.
	Index      int
	Detections []eval.Detection
	// Features [n][feature dim] share memory with those of the other images of the batch. Copy what
	// you keep.
	Features [][]float32
}

// batchSize is the number of images of a call: enough to fill the cores.
const batchSize = 4

// errNoSet is the error of a method that is given nil for a data set.
var errNoSet = errors.New("no data set is given: it is nil (see data.Open)")

// Detect calls found with the detections of every image of the data set. Images come grouped by
// canvas, the padded size at which they run. The ids are the category ids of the model's classes;
// nil means 1, 2, ... Detect stops when ctx ends and at the first error, including one of found.
func (m *Model) Detect(ctx context.Context, set *data.Dataset, ids []data.ID, found func(ImageDetections) error) error {
	return m.DetectRemaining(ctx, set, ids, nil, func(batch []ImageDetections) error {
		for _, image := range batch {
			if err := found(image); err != nil {
				return err
			}
		}
		return nil
	})
}

// DetectRemaining is Detect for the images whose index is not in done, and calls found with one
// batch at a time. If done holds the images of earlier, interrupted calls, the batches and hence
// the numbers are those of a call that was not interrupted.
func (m *Model) DetectRemaining(ctx context.Context, set *data.Dataset, ids []data.ID, done map[int]bool, found func([]ImageDetections) error) error {
	if set == nil {
		return errNoSet
	}
	if ids == nil {
		for i := range m.Config.Model.Classes {
			ids = append(ids, data.ID(i+1))
		}
	}
	if n := len(m.Config.Model.Classes); len(ids) != n {
		return fmt.Errorf("detection: %d category ids are given, but the model has %d classes", len(ids), n)
	}
	remaining, indices := *set, make([]int, 0, len(set.Images))
	remaining.Images = make([]data.Image, 0, len(set.Images))
	for i, image := range set.Images {
		if !done[i] {
			remaining.Images, indices = append(remaining.Images, image), append(indices, i)
		}
	}
	if len(indices) == 0 && len(set.Images) > 0 {
		return ctx.Err()
	}
	return m.eachBatch(ctx, &remaining, min(batchSize, len(set.Images)), func(b *data.Batch) error {
		outputs, err := m.call(m.detect, "detection", imagesTensor(b), sizesTensor(b))
		if err != nil {
			return err
		}
		batch := make([]ImageDetections, len(b.Sources))
		for row, source := range b.Sources {
			batch[row] = m.unpack(outputs, row, source, remaining.Images[source.Index].ID, ids)
			batch[row].Index = indices[source.Index]
		}
		return found(batch)
	})
}

// Batches returns the batches in which Detect runs the images of the data set, as indices.
func (m *Model) Batches(set *data.Dataset) ([][]int, error) {
	if set == nil {
		return nil, errNoSet
	}
	return data.EvalBatches(set, m.loaderConfig(max(1, min(batchSize, len(set.Images)))))
}

// eachBatch calls do with the images of the data set, size at a time.
func (m *Model) eachBatch(ctx context.Context, set *data.Dataset, size int, do func(*data.Batch) error) error {
	loader, err := data.Eval(ctx, set, m.loaderConfig(size))
	if err != nil {
		return err
	}
	defer loader.Close()
	for {
		batch, err := loader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(batch); err != nil {
			return err
		}
	}
}

// The outputs of the detection graph, in order.
const (
	outBoxes = iota
	outScores
	outClasses
	outValid
	outLogits
	outFeatures
	outEnergy // and the three other scores
)

// flatten returns the detections as float32 nodes, in the order above.
func flatten(d detector.Detections) []*graph.Node {
	float := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float32) }
	scores := columns(d.Energy, d.WeightedEnergy, d.Logistic, d.NLL)
	return append([]*graph.Node{d.Boxes, d.Scores, float(d.Classes), float(d.Valid), d.Logits, d.Features}, scores...)
}

// columns replaces nil scores by zeros. The first is not nil.
func columns(scores ...*graph.Node) []*graph.Node {
	for i, s := range scores {
		if s == nil {
			scores[i] = graph.ZerosLike(scores[0])
		}
	}
	return scores
}

// unpack reads the rows of one image and maps the boxes to the original image. Features share
// memory with the outputs.
func (m *Model) unpack(outputs [][]float32, row int, source data.Source, image data.ID, ids []data.ID) ImageDetections {
	perImage, dim, logits := m.Config.Model.ROI.Detections, m.featureDim(), len(m.Config.Model.Classes)+1
	var found ImageDetections
	for i := row * perImage; i < (row+1)*perImage; i++ {
		if outputs[outValid][i] == 0 {
			continue
		}
		corners, ok := roi.Finish([4]float32(outputs[outBoxes][4*i:]), 1/source.ScaleX, 1/source.ScaleY, source.Width, source.Height)
		if !ok {
			continue
		}
		d := eval.Detection{
			ImageID: image, CategoryID: ids[int(outputs[outClasses][i])], Score: float64(outputs[outScores][i]),
			Box:    box.Corners{float64(corners[0]), float64(corners[1]), float64(corners[2]), float64(corners[3])}.COCO(),
			Logits: make([]float64, logits), Scores: m.ScoresByName(scoresAt(outputs[outEnergy:], i)),
		}
		for k, logit := range outputs[outLogits][i*logits : (i+1)*logits] {
			d.Logits[k] = float64(logit)
		}
		found.Detections = append(found.Detections, d)
		found.Features = append(found.Features, outputs[outFeatures][i*dim:(i+1)*dim])
	}
	return found
}

// ScoresByName returns the scores that the model has, by the names of eval.Detection.Scores. All
// are higher for inliers: "nll" is -NLL.
func (m *Model) ScoresByName(s Scores) map[string]float64 {
	scores := map[string]float64{"energy": s.Energy}
	if m.HasEnergy() {
		scores["weighted_energy"], scores["logistic"] = s.WeightedEnergy, s.Logistic
	}
	if m.HasFlow() {
		scores["nll"] = -s.NLL
	}
	return scores
}

// ScoreNames returns the names of the scores that every detection of the model has.
func (m *Model) ScoreNames() []string { return slices.Sorted(maps.Keys(m.ScoresByName(Scores{}))) }

// scoresAt reads row i of the four columns of scores.
func scoresAt(c [][]float32, i int) Scores {
	return Scores{Energy: float64(c[0][i]), WeightedEnergy: float64(c[1][i]), Logistic: float64(c[2][i]), NLL: float64(c[3][i])}
}

func imagesTensor(b *data.Batch) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(b.Images, b.BatchSize, b.Canvas.Height, b.Canvas.Width, 3)
}

func sizesTensor(b *data.Batch) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(b.Sizes, b.BatchSize, 2)
}
