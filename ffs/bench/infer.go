package bench

import (
	"context"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/infer"
)

// Infer measures detection, from images in memory to boxes in their pixels with all outlier scores,
// as "ffs detect" does it: four images at a time at most.
//
// At the start every class has about the same probability, which the preset's threshold lies just
// above. It is lowered to half of that probability, so that the suppression has its full number of
// candidates.
func Infer(ctx context.Context, o Options) (*Report, error) {
	o, r, err := o.prepare("infer")
	if err != nil {
		return nil, err
	}
	o.Config.Model.ROI.ScoreThreshold = 0.5 / float64(len(o.Config.Model.Classes)+1)
	detector, err := infer.New(o.Backend, model.NewStore(), o.Config, 0)
	if err != nil {
		return nil, err
	}
	defer detector.Close()
	detector.UsePrecision(o.Config.Train.Precision)
	set := images(o, o.Batch)
	head := o.Config.Model
	r.Shapes = map[string][]int{
		"images": {o.Batch, o.Height, o.Width, 3}, "proposals": {o.Batch, head.RPN.PostNMSTest}, "detections": {o.Batch, head.ROI.Detections},
	}
	r.Detections = new(int)
	return r, r.finish(ctx, o, func(int) error {
		*r.Detections = 0
		return detector.Detect(ctx, set, nil, func(found infer.ImageDetections) error {
			*r.Detections += len(found.Detections)
			return nil
		})
	})
}
