package infer

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// Descend makes an outlier of every latent by the method flow-langevin, whatever the model was trained with: the features that the flow
// makes of the latents [n][fc_dim] move down the gradient of their mean likelihood until that is under the likelihood of the least likely inlier feature
// [m][fc_dim]. A sample moves by 1/n of its own gradient, as in the original, so that n belongs to the method: take as many as training does
// (model.outlier.sample_from). It returns features [n][fc_dim] and their NLL [n]. A model without a flow is an error, as are rows of another
// length, or none.
func (m *Model) Descend(latents, inliers [][]float32) (features [][]float32, nll []float64, err error) {
	if !m.HasFlow() {
		return nil, nil, fmt.Errorf("the model was trained with model.outlier.method=%s and has no flow", m.Config.Model.Outlier.Method)
	}
	var inputs [2]*tensors.Tensor
	for i, rows := range [][][]float32{latents, inliers} {
		if inputs[i], err = m.rowsTensor("descent", rows); err != nil {
			return nil, nil, err
		}
	}
	outputs, err := call(m.descend, "descent", inputs[0], inputs[1])
	if err != nil {
		return nil, nil, err
	}
	return matrix(outputs[0], m.Config.Model.ROI.FCDim), widen(outputs[1]), nil
}

func widen(values []float32) []float64 {
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
	}
	return wide
}
