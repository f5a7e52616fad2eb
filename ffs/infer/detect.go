package infer

import (
	"context"
	"errors"
	"io"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/data"
	"ffslab/ffs/detector"
	"ffslab/ffs/roi"
)

// Detection is one detected object. Its scores are those of its proposal; higher energies mean "more inlier".
type Detection struct {
	// Box is x0, y0, x1, y1 in pixels of the original image, clipped to it.
	Box [4]float64
	// Class is the index of the inlier class, Score its probability.
	Class int
	Score float64
	// Logits are the K+1 class logits, background last; Features those of the box head.
	Logits, Features []float32
	Scores
}

// Scores are a feature's outlier scores. NLL is 0 and means nothing unless Model.HasFlow, WeightedEnergy and Logistic unless
// Model.HasEnergy.
type Scores struct {
	Energy, WeightedEnergy, Logistic, NLL float64
}

// ImageDetections are the detections of one image, best first.
type ImageDetections struct {
	// Index is the image's place in the data set.
	Index      int
	Detections []Detection
}

// batchSize is how many images a call takes: enough to fill the cores, little to wait for.
const batchSize = 4

// Detect calls found with the detections of every image of the data set, in an order that suits the canvases. It stops
// at the first error, found's included, and when ctx ends.
func (m *Model) Detect(ctx context.Context, set *data.Dataset, found func(ImageDetections) error) error {
	return m.eachBatch(ctx, set, func(b *data.Batch) error {
		outputs, err := call(m.detect, "detection", imagesTensor(b), sizesTensor(b))
		if err != nil {
			return err
		}
		for row, source := range b.Sources {
			if err := found(ImageDetections{source.Index, m.unpack(outputs, row, source)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *Model) eachBatch(ctx context.Context, set *data.Dataset, do func(*data.Batch) error) error {
	loader, err := data.Eval(ctx, set, m.loaderConfig(min(batchSize, len(set.Images))))
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

// unpack reads one image's rows and brings the boxes back to the original image.
func (m *Model) unpack(outputs [][]float32, row int, source data.Source) []Detection {
	perImage, dim, logits := m.Config.Model.ROI.Detections, m.Config.Model.ROI.FCDim, len(m.Config.Model.Classes)+1
	var detections []Detection
	for i := row * perImage; i < (row+1)*perImage; i++ {
		if outputs[outValid][i] == 0 {
			continue
		}
		box, ok := roi.Finish([4]float32(outputs[outBoxes][4*i:]), 1/source.ScaleX, 1/source.ScaleY, source.Width, source.Height)
		if !ok {
			continue
		}
		d := Detection{
			Box: [4]float64{float64(box[0]), float64(box[1]), float64(box[2]), float64(box[3])}, Class: int(outputs[outClasses][i]), Score: float64(outputs[outScores][i]),
			Logits:   outputs[outLogits][i*logits : (i+1)*logits],
			Features: outputs[outFeatures][i*dim : (i+1)*dim],
		}
		d.Scores = scoresAt(outputs[outEnergy:], i)
		detections = append(detections, d)
	}
	return detections
}

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
