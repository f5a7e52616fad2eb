package explore

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/viz/escape"
)

// DetectionTable lists COCO's measures of every run on the inlier set, in percent.
func DetectionTable(evaluations []*protocol.Evaluation) *Table {
	t := newTable("run", "AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "score threshold")
	for _, e := range evaluations {
		m, threshold := e.Report.MAP, "-"
		if e.Report.ScoreThreshold != nil {
			threshold = fmt.Sprintf("%.4f", *e.Report.ScoreThreshold)
		}
		t.Add(e.Run.Name, percent(m.AP), percent(m.AP50), percent(m.AP75), percent(m.APSmall), percent(m.APMedium), percent(m.APLarge), threshold)
	}
	t.Note = fmt.Sprintf("Inlier set: %s, %d images.", evaluations[0].Sets[0].Label(), len(evaluations[0].Sets[0].Images))
	return t
}

// OutlierTable lists, for every outlier set and run, how well each of the scores separates
// detections there from those on the inlier set, in percent, by the original's conventions, and
// open-set measures of the annotated unknown objects.
func OutlierTable(evaluations []*protocol.Evaluation, scores ...string) *Table {
	t := newTable("outlier set", "run", "score", "AUROC", "AUPR", "FPR95", "inlier", "outlier", "AP unknown", "recall unknown")
	for _, set := range evaluations[0].Sets[1:] {
		for _, e := range evaluations {
			outcome := e.Report.Outliers[set.Name]
			if outcome == nil {
				continue
			}
			apUnknown, recallUnknown := "-", "-"
			if outcome.OpenSet != nil {
				apUnknown, recallUnknown = percent(outcome.OpenSet.APUnknown), percent(outcome.OpenSet.RecallUnknown)
			}
			for _, name := range scores {
				if s, ok := outcome.Scores[name]; ok {
					t.Add(set.Label(), e.Run.Name, scoreLabel(name), percent(s.AUROC), percent(s.AUPR), percent(s.FPR95),
						fmt.Sprint(outcome.Inliers), fmt.Sprint(outcome.Outliers), apUnknown, recallUnknown)
				}
			}
		}
	}
	if len(t.Rows) == 0 {
		t.Note = "Nothing to compare: no outlier set was named (data.ood), or no detection reaches the score threshold."
		return t
	}
	t.Note = "Lower is better for FPR95, higher for all others. The columns inlier and outlier count detections; AP and recall of unknown objects use the energy."
	return t
}

// percent formats a fraction in percent. COCO's measures are negative if nothing was annotated.
func percent(fraction float64) string {
	if fraction < 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100*fraction)
}

// Markdown is a text that [Session.Print] shows as it is.
type Markdown string

// String implements [fmt.Stringer].
func (m Markdown) String() string { return string(m) }

// trainedOn returns the training set and the commit of a run, as far as they are known.
func trainedOn(c config.Config) string {
	text := ""
	if c.Data.Train != "" {
		text += ", trained on " + escape.Markdown(c.Data.Train)
	}
	if c.Origin.Commit != "" {
		text += ", commit " + escape.Markdown(c.Origin.Commit)
	}
	return text
}

// Summarise writes a summary of the evaluations to Out/summary.md, which "ffs notebooks" prints,
// and returns it.
func (s *Session) Summarise(evaluations []*protocol.Evaluation) (Markdown, error) {
	var b strings.Builder
	for _, e := range evaluations {
		c := e.Run.Config
		steps, err := e.Run.Checkpoints()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "Run %s (%s): outliers by %s, step %d of %d, seed %d%s.\n\n", escape.Markdown(e.Run.Name), escape.Markdown(e.Run.Dir), c.Model.Outlier.Method,
			steps[len(steps)-1], c.Train.MaxIter, c.Train.Seed, trainedOn(c))
	}
	if subject := evaluations[0].Report.Subject; subject != nil {
		fmt.Fprintf(&b, "Measured by commit %s. %s\n", escape.Markdown(subject.Commit), subject.Sets(escape.Markdown))
	}
	if s.Quick {
		b.WriteString("\nThis was a quick run, a test that everything works: its numbers say nothing about a method.\n")
	}
	fmt.Fprintf(&b, "\n%s\n", DetectionTable(evaluations))
	if len(evaluations[0].Sets) > 1 {
		fmt.Fprintf(&b, "%s\n", OutlierTable(evaluations, eval.ScoreNames[0]))
	}
	return Markdown(b.String()), renameio.WriteFile(filepath.Join(s.Out, "summary.md"), []byte(b.String()), 0o644)
}
