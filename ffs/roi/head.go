package roi

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// Head returns the box features h [n, FeatureDim] of pooled features [n, 7, 7, channels]: two fully
// connected layers with ReLU, and the optional reduction, under FEVER-OOD's name
// box_head_extension. The scope holds "box_head" and "box_predictor". The columns of fc1's weight
// run over (row, column, channel); detectron2's over (channel, row, column).
func (c Config) Head(scope *model.Scope, pooled *graph.Node) *graph.Node {
	head := scope.At("box_head")
	h := graph.Reshape(pooled, pooled.Shape().Dim(0), -1)
	for _, layer := range []string{"fc1", "fc2"} {
		h = nn.ReLU(nn.Linear(head.At("%s", layer), h, c.FCDim, nn.CaffeXavier, nn.Constant(0)))
	}
	return c.reduce(scope, h)
}

// SecondHead returns the box features [n, FeatureDim] of a head behind a trained detector's, whose
// box features x [n, dim] it takes: one hidden layer with ReLU, and Head's reduction if there is
// one. The scope is Head's.
func (c Config) SecondHead(scope *model.Scope, x *graph.Node) *graph.Node {
	h := nn.ReLU(nn.Linear(scope.At("second_head"), x, c.FCDim, nn.CaffeXavier, nn.Constant(0)))
	return c.reduce(scope, h)
}

// reduce shortens h [n, FCDim] to [n, FeatureDim] if there is a reduction.
func (c Config) reduce(scope *model.Scope, h *graph.Node) *graph.Node {
	if c.ReduceDim == 0 {
		return h
	}
	return nn.Linear(scope.At("box_head_extension"), h, c.ReduceDim, nn.CaffeXavier, nn.Constant(0))
}

// Predict returns, from box features [n, FeatureDim], the logits [n, K+1] (see Classify) and the
// corrections of the proposals' boxes for each class, deltas [n, 4*K]. The scope is that of Head.
func (c Config) Predict(scope *model.Scope, h *graph.Node) (logits, deltas *graph.Node) {
	predictor := scope.At("box_predictor")
	return c.Classify(scope, h), nn.Linear(predictor.At("bbox_pred"), h, 4*c.Classes, nn.Normal(0.001), nn.Constant(0))
}

// Classify returns the logits [n, K+1], background last, of the box features [n, FeatureDim] of
// proposals or of synthetic outliers. The scope is that of Head.
func (c Config) Classify(scope *model.Scope, h *graph.Node) *graph.Node {
	predictor := scope.At("box_predictor")
	return nn.Linear(predictor.At("cls_score"), h, c.Classes+1, nn.Normal(0.01), nn.Constant(0))
}

// ClassWeight returns the weight [K+1, FeatureDim] of the class layer. The scope is that of Head.
func (c Config) ClassWeight(scope *model.Scope, g *graph.Graph) *graph.Node {
	return nn.Variable(scope.At("box_predictor").At("cls_score"), g, "weight", nn.Normal(0.01), true, c.Classes+1, c.FeatureDim())
}
