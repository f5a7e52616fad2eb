package eval

import (
	"fmt"
	"slices"
	"strings"
)

// incomplete collects, for each score that some detections lack, where it is missing.
type incomplete map[string]*missing

type missing struct {
	places  []string
	partial bool // a set has it on some of its detections
}

// add looks at the scores that the outcome of an outlier set does not have although a detection has
// them. label names the outlier set.
func (m incomplete) add(outcome *Outcome, label string, known, unknown Results) {
	if outcome.Inliers == 0 || outcome.Outliers == 0 {
		return
	}
	type side struct {
		name string
		Results
	}
	sides := []side{{"the inlier set", known}, {label, unknown}}
	if outcome.Protocol == ByObjects { // both sides are of the outlier set
		sides = sides[1:]
	}
	var names []string
	for _, s := range sides {
		names = append(names, scoreNames(s.Detections)...)
	}
	SortScores(names)
	for _, name := range slices.Compact(names) {
		if _, measured := outcome.Scores[name]; measured {
			continue
		}
		var places []string
		partial, anywhere := false, false
		for _, s := range sides {
			lack, total := lacking(s.Detections, name), len(s.Detections)
			anywhere = anywhere || lack < total
			if lack > 0 {
				places = append(places, fmt.Sprintf("%d of %d on %s", lack, total, s.name))
				partial = partial || lack < total
			}
		}
		if !anywhere { // a score of ScoreNames that the detector does not have
			continue
		}
		if m[name] == nil {
			m[name] = &missing{}
		}
		m[name].partial = m[name].partial || partial
		for _, place := range places {
			if !slices.Contains(m[name].places, place) {
				m[name].places = append(m[name].places, place)
			}
		}
	}
}

// addTo adds the reasons to the report. A reason that it has already stays if the score is missing
// from whole sets, which it then explains.
func (m incomplete) addTo(r *Report) {
	for name, missing := range m {
		if _, explained := r.NotMeasured[name]; explained && !missing.partial {
			continue
		}
		if r.NotMeasured == nil {
			r.NotMeasured = map[string]string{}
		}
		r.NotMeasured[name] = "missing from detections that reach the threshold: " + strings.Join(missing.places, ", ")
	}
}

func lacking(detections []Detection, name string) (n int) {
	for i := range detections {
		if _, ok := detections[i].OutlierScore(name); !ok {
			n++
		}
	}
	return n
}
