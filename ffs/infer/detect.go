package infer

import (
	"context"
	"errors"
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

// Scores are a feature's outlier scores. NLL is 0 and means nothing unless Model.HasFlow, WeightedEnergy and Logistic unless
// Model.HasEnergy.
type Scores struct {
	Energy, WeightedEnergy, Logistic, NLL float64
}

// ImageDetections are the detections of one image, best first, and their box features.
type ImageDetections struct {
	// Index is the image's place in the data set.
	Index      int
	Detections []eval.Detection
	// Features [n][fc_dim] share memory with those of all images of their batch: copy what is to be
	// kept.
	Features [][]float32
}

// batchSize is how many images a call takes: enough to fill the cores, little to wait for.
const batchSize = 4

// Detect calls found with the detections of every image of the data set, in an order that suits the
// canvases. Detections bear the image's id, and of ids, which has one for each of the model's
// classes, that of their class; nil stands for 1, 2, ... It stops at the first error, found's
// included, and when ctx ends.
func (m *Model) Detect(ctx context.Context, set *data.Dataset, ids []data.ID, found func(ImageDetections) error) error {
	return m.DetectRest(ctx, set, ids, nil, func(batch []ImageDetections) error {
		for _, image := range batch {
			if err := found(image); err != nil {
				return err
			}
		}
		return nil
	})
}

// DetectRest is Detect for the images of the data set whose index is not in done, and calls found with a batch of them at a time. If
// done holds what earlier, interrupted calls gave to found, the rest comes in the very batches, hence with the very numbers, of a call that was not
// interrupted.
func (m *Model) DetectRest(ctx context.Context, set *data.Dataset, ids []data.ID, done map[int]bool, found func([]ImageDetections) error) error {
	if ids == nil {
		for i := range m.Config.Model.Classes {
			ids = append(ids, data.ID(i+1))
		}
	}
	rest, indices := *set, make([]int, 0, len(set.Images))
	rest.Images = make([]data.Image, 0, len(set.Images))
	for i, image := range set.Images {
		if !done[i] {
			rest.Images, indices = append(rest.Images, image), append(indices, i)
		}
	}
	if len(indices) == 0 && len(set.Images) > 0 {
		return ctx.Err()
	}
	return m.eachBatch(ctx, &rest, min(batchSize, len(set.Images)), func(b *data.Batch) error {
		outputs, err := m.call(m.detect, "detection", imagesTensor(b), sizesTensor(b))
		if err != nil {
			return err
		}
		batch := make([]ImageDetections, len(b.Sources))
		for row, source := range b.Sources {
			batch[row] = m.unpack(outputs, row, source, rest.Images[source.Index].ID, ids)
			batch[row].Index = indices[source.Index]
		}
		return found(batch)
	})
}

// Batches returns which images of the data set, by their indices, Detect runs the graph on together.
func (m *Model) Batches(set *data.Dataset) ([][]int, error) {
	return data.EvalBatches(set, m.loaderConfig(max(1, min(batchSize, len(set.Images)))))
}

// eachBatch prepares the images of the data set, size at a time.
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

// flatten lists the detections as float32 nodes, in the order above.
func flatten(d detector.Detections) []*graph.Node {
	float := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float32) }
	scores := columns(d.Energy, d.WeightedEnergy, d.Logistic, d.NLL)
	return append([]*graph.Node{d.Boxes, d.Scores, float(d.Classes), float(d.Valid), d.Logits, d.Features}, scores...)
}

// columns puts zeros where the detector does not have a score. The first one always exists.
func columns(scores ...*graph.Node) []*graph.Node {
	for i, s := range scores {
		if s == nil {
			scores[i] = graph.ZerosLike(scores[0])
		}
	}
	return scores
}

// unpack reads one image's rows and brings the boxes back to the original image. Detections are
// copies; features share memory with the outputs.
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
			Logits: make([]float64, logits), Scores: m.Named(scoresAt(outputs[outEnergy:], i)),
		}
		for k, logit := range outputs[outLogits][i*logits : (i+1)*logits] {
			d.Logits[k] = float64(logit)
		}
		found.Detections = append(found.Detections, d)
		found.Features = append(found.Features, outputs[outFeatures][i*dim:(i+1)*dim])
	}
	return found
}

// Named returns the scores that the model has, as a detection carries them (see eval.Detection.Scores).
func (m *Model) Named(s Scores) map[string]float64 {
	scores := map[string]float64{"energy": s.Energy}
	if m.HasEnergy() {
		scores["weighted_energy"], scores["logistic"] = s.WeightedEnergy, s.Logistic
	}
	if m.HasFlow() {
		scores["nll"] = -s.NLL
	}
	return scores
}

// OwnScores are the names of the scores that every detection of the model carries.
func (m *Model) OwnScores() []string { return slices.Sorted(maps.Keys(m.Named(Scores{}))) }

// scoresAt reads row i of the four score columns.
func scoresAt(c [][]float32, i int) Scores {
	return Scores{Energy: float64(c[0][i]), WeightedEnergy: float64(c[1][i]), Logistic: float64(c[2][i]), NLL: float64(c[3][i])}
}

func imagesTensor(b *data.Batch) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(b.Images, b.BatchSize, b.Canvas.Height, b.Canvas.Width, 3)
}

func sizesTensor(b *data.Batch) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(b.Sizes, b.BatchSize, 2)
}
