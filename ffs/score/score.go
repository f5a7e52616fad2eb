// Package score holds post-hoc outlier scores: numbers that tell known from unknown objects by what a trained detector computes for a box
// anyhow, its features, its logits and its class layer. A score is fitted on inliers alone and returns one number a row, higher for "more
// inlier". It takes plain matrices, from whatever detector:
//
//	knn, err := score.New("knn") // or &score.KNN{K: 10}
//	err = knn.Fit(inliers, layer)
//	values, err := knn.Score(rows)
//
// The built-in scores are registered under their names (see [Names]); [Register] adds others. Their hyper-parameters are fields, whose zero
// values stand for the defaults of the papers. Where pytorch-ood 0.4.0 has a score, ours returns its numbers, negated, as the tests show.
//
// What holds for all built-in scores: they compute in float64, and equal rows of a call get equal scores. Where the paper uses the classifier's
// logits, the background's column and its row of the class layer are left out: the K inlier classes remain. A row that is not finite is an error,
// and no score is ever NaN or infinite.
package score

import (
	"errors"
	"fmt"
)

// Scorer is one score.
//
// Fit is called once, before Score, with rows of known objects and the layer that makes logits of features. Either may be empty: a score that
// needs what is not there returns [ErrMissing]. A scorer may keep references to both, which stay unchanged.
// Score returns one number for each row, higher for "more inlier".
type Scorer interface {
	Name() string
	Fit(inliers Features, layer Layer) error
	Score(rows Features) ([]float64, error)
}

// ErrMissing is wrapped by the errors of scores that need what a detector does not give: its features, logits, layer or a column of its own.
// Such a score does not apply, and others may.
var ErrMissing = errors.New("missing")

// missing says what a score needs and rows of this origin lack.
func missing(name, what, from string) error {
	if from == "" {
		from = "the rows"
	}
	return lack{fmt.Sprintf("%s: no %s in %s", name, what, from)}
}

// notFitted is the error of Score before Fit, or after one without inliers.
func notFitted(name string) error { return lack{name + ": not fitted: no inliers were given"} }

// lack is an ErrMissing that says what.
type lack struct{ text string }

func (l lack) Error() string        { return l.text }
func (l lack) Is(target error) bool { return target == ErrMissing }
