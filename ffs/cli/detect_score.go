package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/infer"
	"ffslab/ffs/protocol"
	"ffslab/viz/escape"
)

// checkScore returns an error for an unknown score, before anything is loaded. An empty name means
// the recommended score.
func checkScore(name string) error {
	if name == "" {
		return nil
	}
	_, err := posthoc.Resolve([]string{name})
	return err
}

// scoreAdder adds an outlier score to the detections of an image.
type scoreAdder func(from string, image infer.ImageDetections) error

// chosenScore returns the thresholds that the run's last evaluation saved for the outlier score by,
// or for the recommended one if by is empty, and the function that adds the score to detections.
// lack says why there are no thresholds, with the command that makes them.
func chosenScore(dir, by string, model *infer.Model) (saved protocol.Saved, lack string, add scoreAdder, err error) {
	if saved, lack, err = savedThresholds(dir, by, model); err != nil {
		return saved, "", nil, err
	}
	add, err = addScore(model, dir, saved.By)
	switch {
	case by != "":
		return saved, lack, add, err
	case err != nil: // the recommended score is optional
		escape.Fprintf(os.Stderr, "warning: unknown objects by the energy: %v\n", err)
		return chosenScore(dir, "energy", model)
	case saved.Recommended != "":
		escape.Fprintf(os.Stderr, "unknown objects by %s, which the last evaluation recommends (--score chooses another one)\n", saved.By)
	}
	return saved, lack, add, nil
}

// savedThresholds returns the thresholds of the run's last evaluation for a score, if it measured
// the model's weights. Otherwise lack is a warning with the command that makes them.
func savedThresholds(dir, by string, model *infer.Model) (saved protocol.Saved, lack string, err error) {
	identity, err := model.Identity()
	if err != nil {
		return saved, "", err
	}
	saved, err = protocol.ReadThresholds(filepath.Join(dir, "eval"), identity, by)
	var other *protocol.OtherWeightsError
	switch {
	case errors.As(err, &other):
		return protocol.Unsaved(by), fmt.Sprintf("WARNING: the saved thresholds are not used: %v, or give --unknown-threshold:\n  %s", other, evalCommand(dir, other.Subject)), nil
	case errors.Is(err, fs.ErrNotExist):
		return protocol.Unsaved(by), fmt.Sprintf("warning: no threshold for unknown objects is saved: evaluate first, or give --unknown-threshold:\n  ffs eval --run %s", quoted(dir)), nil
	}
	return saved, "", err
}

// evalCommand returns the command that measures the run again on the sets of an earlier evaluation,
// if known.
func evalCommand(dir string, earlier *eval.Subject) string {
	command := "ffs eval --run " + quoted(dir)
	if earlier == nil {
		return command
	}
	argument := func(s eval.Set) string {
		if s.Name == s.Spec {
			return quoted(s.Spec)
		}
		return quoted(s.Name + "=" + s.Spec)
	}
	command += " --id " + argument(earlier.Inlier)
	for _, set := range earlier.Outliers {
		command += " --ood " + argument(set)
	}
	return command
}

func quoted(word string) string {
	if strings.ContainsAny(word, " ?*&'\"\\$") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// addScore returns the function that adds an outlier score to detections. It does nothing for a
// score that the model computes itself.
func addScore(model *infer.Model, dir, name string) (scoreAdder, error) {
	if name == "msp" || slices.Contains(model.ScoreNames(), name) {
		return func(string, infer.ImageDetections) error { return nil }, nil
	}
	fitted, err := protocol.FitOne(model, filepath.Join(dir, "eval"), name)
	if err != nil {
		return nil, err
	}
	return func(from string, image infer.ImageDetections) error {
		return protocol.ScoreImage(model, fitted, from, image)
	}, nil
}
