package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/infer"
	"ffslab/ffs/protocol"
)

// savedThresholds are those of the run's last evaluation, as far as there was one, for an outlier score, or for the one that it recommends if by is empty; and the
// temperature of the scores that they belong to. It is an error if a score was asked for that the evaluation has no threshold for, unless one is given otherwise.
func savedThresholds(dir, by string, given bool) (t protocol.Thresholds, temperature float64, err error) {
	t, temperature = protocol.Thresholds{Score: 0.5, By: by}, 1
	if by == "" {
		t.By = "energy"
	} else if _, err := posthoc.Resolve([]string{by}); err != nil {
		return t, temperature, err
	}
	path := filepath.Join(dir, "eval", "metrics.json")
	report, err := eval.ReadReport(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, temperature, nil
	}
	if err != nil {
		return t, temperature, err
	}
	if report.ScoreThreshold != nil {
		t.Score = *report.ScoreThreshold
	}
	if report.Temperature > 0 { // 0: written before there were temperatures
		temperature = report.Temperature
	}
	if by == "" && report.Recommended != "" {
		t.By = report.Recommended
		fmt.Fprintf(os.Stderr, "unknown objects by %s, which the last evaluation recommends (--score chooses another one)\n", t.By)
	}
	for _, outcome := range report.Outliers {
		// The threshold belongs to the inlier set: it is the same for every outlier set, and in unknown_thresholds since that exists.
		if s, ok := outcome.Scores[t.By]; ok {
			t.Energy = &s.ThresholdTPR95
		}
	}
	if threshold, ok := report.UnknownThresholds[t.By]; ok {
		t.Energy = &threshold
	}
	if by != "" && t.Energy == nil && !given {
		return t, temperature, fmt.Errorf("%s has no threshold for the score %s: run \"ffs eval --scores %s\" first, or give --unknown-threshold", path, by, by)
	}
	return t, temperature, nil
}

// scoreAdder returns a function that puts an outlier score into the detections of an image, if the model does not give it itself.
func scoreAdder(model *infer.Model, dir, name string) (func(from string, image infer.ImageDetections) error, error) {
	if name == "msp" || slices.Contains(model.OwnScores(), name) {
		return func(string, infer.ImageDetections) error { return nil }, nil
	}
	fitted, err := protocol.FitOne(model, filepath.Join(dir, "eval"), name)
	if err != nil {
		return nil, err
	}
	ids := make([]data.ID, len(model.Config.Model.Classes))
	for i := range ids {
		ids[i] = data.ID(i + 1)
	}
	return func(from string, image infer.ImageDetections) error {
		return protocol.ScoreImage(model, fitted, from, image, ids)
	}, nil
}
