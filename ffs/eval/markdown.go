package eval

import (
	"fmt"
	"io"
	"strings"

	"ffslab/viz/escape"
)

// section is a part of the report's text.
type section struct {
	title  string
	tables []reportTable
	note   string // one paragraph under the tables; may be empty
}

// WriteMarkdown writes the whole report as Markdown tables whose columns line up in a terminal.
// Numbers are in percent, except thresholds and counts.
func (r *Report) WriteMarkdown(w io.Writer) error {
	if err := r.writeSubject(w); err != nil {
		return err
	}
	return writeSections(w, r.sections())
}

// WriteSummary writes a summary that fits on a screen: detection on the inlier set, and every
// outlier set by the original's filter.
func (r *Report) WriteSummary(w io.Writer) error {
	if err := r.writeSubject(w); err != nil {
		return err
	}
	sections := []section{r.detectionSection()}
	which, ranked := r.whichScoreSection()
	if len(r.Outliers) > 0 {
		sections = append(sections, section{title: filterTitles[ByProposal],
			tables: present(r.briefScoreTable(r.Outliers, ranked), r.openSetTable(ByProposal, r.Outliers), r.objectTable(ByProposal, r.Outliers)), note: r.outlierNote(r.Outliers)})
	}
	if ranked {
		sections = append(sections, which)
	}
	return writeSections(w, sections)
}

// writeSubject writes what was measured, and how the images were corrupted.
func (r *Report) writeSubject(w io.Writer) error {
	text := ""
	if r.Subject != nil {
		text = r.Subject.paragraph(escape.Markdown) + "\n\n"
	}
	if r.Corruption != "" {
		text += fmt.Sprintf("All images are corrupted: %s.\n\n", escape.Markdown(r.Corruption))
	}
	_, err := io.WriteString(w, text)
	return err
}

// filterTitles are the titles of the sections on outlier sets.
var filterTitles = map[Filter]string{
	ByProposal: "Outliers: detections whose proposal reaches the threshold (the original's filter)",
	ByOwnScore: "Outliers: detections whose own score reaches the threshold",
}

func writeSections(w io.Writer, sections []section) error {
	var text strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&text, "## %s\n\n", s.title)
		for _, t := range s.tables {
			fmt.Fprintf(&text, "%s\n", t.Markdown())
		}
		if s.note != "" {
			fmt.Fprintf(&text, "%s\n\n", s.note)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (r *Report) sections() []section {
	sections := []section{r.detectionSection()}
	for _, filter := range []Filter{ByProposal, ByOwnScore} {
		if outcomes := r.outcomes(filter); len(outcomes) > 0 {
			sections = append(sections, section{title: filterTitles[filter], tables: present(r.scoreTable(filter, outcomes), r.openSetTable(filter, outcomes), r.objectTable(filter, outcomes)),
				note: r.outlierNote(outcomes)})
		}
	}
	if section, ok := r.whichScoreSection(); ok {
		sections = append(sections, section)
	}
	if t := r.confusionTable(); len(t.Rows) > 0 {
		sections = append(sections, section{title: "What unknown objects are taken for", tables: present(t),
			note: "The detections whose own score reaches the threshold, IoU 0.5. \"Called unknown\" counts those taken for a class that the energy threshold rejects."})
	}
	if t := r.classTable(); len(t.Rows) > 0 {
		sections = append(sections, section{title: "Detection by class and by size", tables: present(t, r.sizeTable())})
	}
	if r.Calibration != nil {
		sections = append(sections, section{title: "Calibration of the inlier set's detections, IoU 0.5", tables: present(r.calibrationTable(), r.reliabilityTable()),
			note: "ECE: by score alone; D-ECE: by score and position, size, or both, of the box (Kueppers et al. 2020)."})
	}
	return sections
}

func (r *Report) detectionSection() section {
	return section{title: "Detection", tables: present(r.detectionTable(), r.vocTable()), note: r.detectionNote()}
}

func (r *Report) outcomes(f Filter) map[string]*Outcome {
	if f == ByOwnScore {
		return r.ByOwnScore
	}
	return r.Outliers
}

func present(tables ...reportTable) []reportTable {
	var kept []reportTable
	for _, t := range tables {
		if len(t.Rows) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}

// detectionNote holds what stands under the detection tables.
func (r *Report) detectionNote() string {
	var paragraphs []string
	for _, note := range r.Notes(escape.Markdown) {
		paragraphs = append(paragraphs, "Note: "+note+".")
	}
	if note := r.intervalNote(); note != "" {
		paragraphs = append(paragraphs, note)
	}
	return strings.Join(paragraphs, "\n\n")
}

// mostNamed is the number of classes without objects that a note names.
const mostNamed = 20

// Notes returns what a reader of the numbers must know of the inlier set, one sentence each without
// a full stop. Names are passed through escape.
func (r *Report) Notes(escape func(string) string) []string {
	var notes []string
	if len(r.WithoutObjects) > 0 {
		var names []string
		for i, name := range r.WithoutObjects {
			if rest := len(r.WithoutObjects) - i; i == mostNamed && rest > 1 {
				names = append(names, fmt.Sprintf("%d others", rest))
				break
			}
			names = append(names, escape(name))
		}
		effect := "each counts as -1 in the score threshold, as in the original code (--skip-empty-classes leaves them out)"
		if r.EmptySkipped {
			effect = "they do not count in the score threshold"
		}
		notes = append(notes, "no objects of: "+strings.Join(names, ", ")+": "+effect)
	}
	if r.NotCalibrated != "" {
		notes = append(notes, "the calibration error is not measured: "+escape(r.NotCalibrated))
	}
	return notes
}

func (r *Report) intervalNote() string {
	if r.Bootstrap == nil {
		return ""
	}
	return fmt.Sprintf("In brackets: 95 %% intervals of %d resamples of the images (seed %d).", r.Bootstrap.Resamples, r.Bootstrap.Seed)
}

// Percent formats a fraction in percent, and a negative one, which stands for no annotation, as
// "-".
func Percent(fraction float64) string {
	if fraction < 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 100*fraction)
}

// percentWithin formats a fraction, with its interval if known.
func percentWithin(fraction float64, within Interval, known bool) string {
	if !known {
		return Percent(fraction)
	}
	return fmt.Sprintf("%s [%.1f, %.1f]", Percent(fraction), 100*within[0], 100*within[1])
}
