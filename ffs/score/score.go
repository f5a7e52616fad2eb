// Package score implements post-hoc outlier scores. A score tells known from unknown objects by
// what a trained detector computes for each box: its features, its logits and the class layer. It
// is fitted on inliers only and returns one number for each row; higher means more inlier. Scores
// work on plain matrices from any detector:
//
//	knn, err := score.New("knn") // or &score.KNN{K: 10}
//	err = knn.Fit(inliers, layer)
//	values, err := knn.Score(rows)
//
// The built-in scores are registered by name (see [Names]); [Register] adds others. Their
// hyper-parameters are fields; a zero field means the default of the paper. README.md lists the
// scores with what they need. Scores that pytorch-ood 0.4.0 also has return its numbers with the
// sign reversed, unless their comment says otherwise; the tests compare them.
//
// All built-in scores compute in float64, and equal rows of a call get equal scores. Where a paper
// uses the classifier's logits, the logits of the K inlier classes are used: the background's
// column and its row of the class layer are left out. A row that is not finite is an error. No
// score is ever NaN or infinite.
package score

import (
	"errors"
	"fmt"
)

// Scorer is a post-hoc outlier score.
//
// Fit is called once, before Score, with the rows of known objects and with the class layer. Either
// may be empty; a score that needs what is absent returns an error that wraps [ErrMissing]. A
// scorer may keep references to both, so callers must not change them.
//
// Score returns one number for each row; higher means more inlier.
type Scorer interface {
	Name() string
	Fit(inliers Features, layer Layer) error
	Score(rows Features) ([]float64, error)
}

// ErrMissing is wrapped by the errors of scores that need features, logits, a class layer or a
// column that the detector does not provide. Such a score does not apply; others may.
var ErrMissing = errors.New("missing")

// missing returns the error of a score that needs what the rows lack.
func missing(name, what, from string) error {
	if from == "" {
		from = "the rows"
	}
	return lack{fmt.Sprintf("%s: no %s in %s", name, what, from)}
}

// notFitted returns the error of Score before Fit, or after Fit without inliers.
func notFitted(name string) error { return lack{name + ": not fitted: no inliers were given"} }

// lack is an ErrMissing with a message.
type lack struct{ text string }

func (l lack) Error() string        { return l.text }
func (l lack) Is(target error) bool { return target == ErrMissing }
