package infer

import (
	"context"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/detector"
	"ffslab/ffs/internal/guard"
)

// ProposalFeatures returns the box features [n][feature dim] of the proposals that a training step
// would sample from the images of the set, and their classes [n], K for background. The set's
// categories must be the model's classes.
func (m *Model) ProposalFeatures(ctx context.Context, set *data.Dataset) (features [][]float32, classes []int32, err error) {
	if set == nil {
		return nil, nil, errNoSet
	}
	exec, err := model.NewExec(m.backend, m.store, guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		batch := detector.Batch{Images: in[0], Sizes: in[1], Boxes: in[2], Classes: in[3], Valid: in[4], Ignored: in[5]}
		h, class, valid := m.detector.Proposals(scope, batch, in[6])
		float := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float32) }
		return []*graph.Node{h, float(class), float(valid)}
	}))
	if err != nil {
		return nil, nil, err
	}
	defer exec.Finalize()
	exec.SetMaxCache(-1)
	perImage := m.Config.Model.ROI.BatchPerImage
	err = m.eachBatch(ctx, set, min(batchSize, len(set.Images)), func(b *data.Batch) error {
		n, keys := b.BatchSize, detector.Keys(0, b.Step, b.BatchSize)
		outputs, err := m.call(exec, "proposals", imagesTensor(b), sizesTensor(b),
			tensors.FromFlatDataAndDimensions(b.Boxes, n, b.MaxBoxes, 4), tensors.FromFlatDataAndDimensions(b.Classes, n, b.MaxBoxes),
			tensors.FromFlatDataAndDimensions(b.Valid, n, b.MaxBoxes), tensors.FromFlatDataAndDimensions(b.Ignored, n, b.MaxBoxes),
			tensors.FromFlatDataAndDimensions(keys, n+1, len(keys)/(n+1)))
		if err != nil {
			return err
		}
		for i, row := range matrix(outputs[0], m.featureDim())[:len(b.Sources)*perImage] {
			if outputs[2][i] != 0 {
				features, classes = append(features, row), append(classes, int32(outputs[1][i]))
			}
		}
		return nil
	})
	return features, classes, err
}
