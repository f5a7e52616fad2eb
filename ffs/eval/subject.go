package eval

import (
	"fmt"
	"strings"
)

// Subject says what a report is about. Do not compare numbers of different subjects without a look.
type Subject struct {
	Run string `json:"run"` // name of its folder
	// Step is the number of training steps of the weights, Steps that of the whole training.
	Step  int `json:"step"`
	Steps int `json:"steps"`
	// Weights identifies the weights (SHA-256, see package checkpoint), Config the training
	// configuration (see config.Config.Digest).
	Weights string `json:"weights"`
	Config  string `json:"config_digest"`
	Commit  string `json:"commit"` // of the code that measured
	// Inlier and Outliers are the sets.
	Inlier   Set   `json:"inlier"`
	Outliers []Set `json:"outliers"`
}

// Set is a data set that was measured.
type Set struct {
	Name   string `json:"name"`  // the key of the report's maps
	Label  string `json:"label"` // in tables, figures and folder names
	Spec   string `json:"spec"`
	Images int    `json:"images"`
}

// Unfinished reports whether the training was not complete. Weights without a step are imported
// ones, which were trained elsewhere.
func (s *Subject) Unfinished() bool { return s.Step > 0 && s.Step < s.Steps }

// String returns the subject in two sentences, without the outlier sets.
func (s *Subject) String() string {
	asIs := func(name string) string { return name }
	return s.run(asIs) + " " + s.inlier(asIs)
}

func (s *Subject) run(escape func(string) string) string {
	remark := ""
	switch {
	case s.Unfinished():
		remark = " (the training is not finished)"
	case s.Step == 0:
		remark = " (imported weights)"
	}
	return fmt.Sprintf("Run %s: step %d of %d%s, weights %.12s, configuration %.12s, commit %s.", escape(s.Run), s.Step, s.Steps, remark, s.Weights, s.Config, escape(s.Commit))
}

// String returns the label of the set, its spec if that differs, and its size.
func (s Set) String() string {
	if s.Spec == s.Label {
		return fmt.Sprintf("%s (%d images)", s.Label, s.Images)
	}
	return fmt.Sprintf("%s (%s, %d images)", s.Label, s.Spec, s.Images)
}

func (s *Subject) inlier(escape func(string) string) string {
	return "Inlier set: " + escape(s.Inlier.String()) + "."
}

// Sets returns one sentence about the inlier set and, if there are any, one about the outlier sets.
// Names are passed through escape.
func (s *Subject) Sets(escape func(string) string) string {
	if len(s.Outliers) == 0 {
		return s.inlier(escape)
	}
	var outliers []string
	for _, set := range s.Outliers {
		outliers = append(outliers, escape(set.String()))
	}
	return s.inlier(escape) + " Outlier sets: " + strings.Join(outliers, ", ") + "."
}

// paragraph returns the whole subject, each set with its spec, as shown above tables. Names are
// passed through escape.
func (s *Subject) paragraph(escape func(string) string) string {
	return s.run(escape) + " " + s.Sets(escape)
}

// Label returns the label of a set of the report, or its name if it has none.
func (r *Report) Label(name string) string {
	if r.Subject == nil {
		return name
	}
	for _, set := range append([]Set{r.Subject.Inlier}, r.Subject.Outliers...) {
		if set.Name == name {
			return set.Label
		}
	}
	return name
}
