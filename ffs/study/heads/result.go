package heads

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/protocol"
	"ffslab/ffs/study"
	"ffslab/viz/escape"
)

// Result is the outcome as far as it has got, and the content of heads.json. AUROC and FPR95 are
// fractions.
type Result struct {
	Command  string          `json:"command"`
	Commit   string          `json:"commit"`
	Detector *eval.Subject   `json:"detector"`
	Training eval.Set        `json:"training"` // the images whose proposals heads are trained on
	Outliers []eval.Set      `json:"outliers"`
	Methods  []string        `json:"methods"` // the rows that are finished, methods and variants
	Variants []study.Variant `json:"variants,omitempty"`
	Baseline string          `json:"baseline"`
	Seeds    []int64         `json:"seeds"`
	Steps    int             `json:"steps"`
	// Foreground and Background are the proposals that rows are drawn from, Fit the objects that
	// scores are fitted on.
	Foreground int            `json:"foreground"`
	Background int            `json:"background"`
	Fit        int            `json:"fit"`
	Bootstrap  eval.Bootstrap `json:"bootstrap"`
	// Best is the post-hoc score of the highest mean AUROC over the outlier sets with the baseline.
	Best        string            `json:"best_score"`
	NotMeasured map[string]string `json:"scores_not_measured,omitempty"`
	Rows        []Row             `json:"results"`

	names []string
	base  []cell
}

// Row is one measure of one setting over the seeds: AUROC and FPR95 of a score on an outlier set,
// or a scalar of the last training steps.
type Row struct {
	Method string `json:"method"`
	study.Measure
	// Values are those of the seeds, in the order of Result.Seeds; the detector itself has one.
	Values []float64 `json:"values"`
	Mean   float64   `json:"mean"`
	// Deviation is the sample deviation, nil with a single value.
	Deviation  *float64    `json:"deviation,omitempty"`
	Difference *Difference `json:"difference,omitempty"`
}

// Difference is that of the means over the seeds, a setting's minus the baseline's, which sees the
// same rows with the same seed.
type Difference struct {
	Mean float64 `json:"mean"`
	// Seeds is its 95 % interval by the spread of the pairs of heads (Student's t), Images that of
	// the images (paired bootstrap of the mean over the seeds).
	Seeds  *eval.Interval `json:"ci95_seeds,omitempty"`
	Images *eval.Interval `json:"ci95_images,omitempty"`
	// BeyondNoise says whether both intervals leave 0 out; nil where one is missing. It does not
	// correct for the number of comparisons.
	BeyondNoise *bool `json:"beyond_noise,omitempty"`
}

// detectorRow is the name of the rows of the detector itself.
const detectorRow = "(detector)"

func (o Options) newResult(f *extracted) (*Result, error) {
	r := &Result{
		Command: o.Config.Origin.Command, Commit: o.Config.Origin.Commit, Detector: f.kept.Report.Subject,
		Training: protocol.Describe(spread(o.Training, o.Images)), Methods: []string{}, Variants: o.Variants, Baseline: o.Baseline, Seeds: o.Seeds,
		Steps: o.Config.Train.MaxIter, Foreground: len(f.pool.foreground), Background: len(f.pool.background), Fit: f.fit.Len(),
		Bootstrap: o.Bootstrap, Rows: []Row{}, NotMeasured: map[string]string{}, names: o.scores(),
	}
	for _, set := range o.Sets[1:] {
		r.Outliers = append(r.Outliers, protocol.Describe(set))
	}
	var own cell
	if err := own.fit(append([]*features.Table{f.fit}, f.detections...), r.names); err != nil {
		return nil, err
	}
	return r, r.measure(detectorRow, []cell{own}, f)
}

// add measures the cells of a setting and compares them with the baseline's, which come first.
func (r *Result) add(method string, cells []cell, f *extracted) error {
	if method == r.Baseline {
		r.base = cells
	}
	r.Methods = append(r.Methods, method)
	if err := r.measure(method, cells, f); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(cells[0].losses)) {
		row := Row{Method: method, Measure: study.Measure{Name: name}}
		for _, c := range cells {
			row.Values = append(row.Values, c.losses[name])
		}
		r.append(row)
	}
	return nil
}

// measure appends AUROC and FPR95 of all scores on all outlier sets, and their differences from the
// baseline.
func (r *Result) measure(method string, cells []cell, f *extracted) error {
	for set := 1; set < len(f.kept.Sets); set++ {
		for _, name := range r.names {
			auroc := Row{Method: method, Measure: study.Measure{Set: f.kept.Sets[set].Name, Score: name, Name: "AUROC"}}
			fpr := auroc
			fpr.Name = "FPR95"
			these, err := sides(cells, f, set, name)
			if err != nil {
				return err
			}
			if these == nil {
				r.NotMeasured[name] = cells[0].notMeasured[name]
				continue
			}
			for _, s := range these {
				separation, err := eval.Separate(s.Lists())
				if err != nil {
					return fmt.Errorf("%s: %s: %w", auroc.Set, name, err)
				}
				auroc.Values, fpr.Values = append(auroc.Values, separation.AUROC), append(fpr.Values, separation.FPR95)
			}
			if method != r.Baseline && method != detectorRow {
				if err := r.compare(&auroc, &fpr, these, f, set); err != nil {
					return err
				}
			}
			r.append(auroc)
			r.append(fpr)
		}
	}
	if method == r.Baseline {
		r.Best = r.best()
	}
	return nil
}

// compare adds the differences of both rows, of the same score and set, from the baseline. The
// bootstrap is that of the scores that the tables to read show.
func (r *Result) compare(auroc, fpr *Row, these []eval.Sides, f *extracted, set int) error {
	those, err := sides(r.base, f, set, auroc.Score)
	if err != nil || those == nil {
		return err
	}
	auroc.Difference, fpr.Difference = r.difference(*auroc), r.difference(*fpr)
	if r.Bootstrap.Resamples == 0 || auroc.Score != energy && auroc.Score != r.Best {
		return nil
	}
	images, err := eval.PairedBootstrapMean(these, those, r.Bootstrap)
	if errors.Is(err, eval.ErrTooFew) {
		return nil
	}
	if err == nil {
		auroc.Difference.judge(images.AUROC.CI95)
		fpr.Difference.judge(images.FPR95.CI95)
	}
	return err
}

func (r *Result) append(row Row) {
	mean, deviation := stat.MeanStdDev(row.Values, nil)
	row.Mean = mean
	if len(row.Values) > 1 {
		row.Deviation = &deviation
	}
	r.Rows = append(r.Rows, row)
}

// difference compares the values of a row with the baseline's.
func (r *Result) difference(row Row) *Difference {
	base := r.row(r.Baseline, row.Measure)
	differences := make([]float64, len(row.Values))
	for i, v := range row.Values {
		differences[i] = v - base.Values[i]
	}
	mean, deviation := stat.MeanStdDev(differences, nil)
	d := &Difference{Mean: mean}
	if n := len(differences); n > 1 {
		half := study.HalfLength(deviation, n)
		d.Seeds = &eval.Interval{mean - half, mean + half}
	}
	return d
}

// judge takes the interval of the images.
func (d *Difference) judge(images eval.Interval) {
	d.Images = &images
	if d.Seeds != nil {
		beyond := d.Seeds[0] > 0 && images[0] > 0 || d.Seeds[1] < 0 && images[1] < 0
		d.BeyondNoise = &beyond
	}
}

// best is the post-hoc score of the highest AUROC with the baseline.
func (r *Result) best() string {
	best, highest := energy, math.Inf(-1)
	for _, name := range r.names {
		sum := 0.0
		for _, row := range r.Rows {
			if row.Method == r.Baseline && row.Score == name && row.Name == "AUROC" {
				sum += row.Mean
			}
		}
		if name != energy && sum > highest {
			best, highest = name, sum
		}
	}
	return best
}

// row returns the row of a method and measure, nil if there is none.
func (r *Result) row(method string, m study.Measure) *Row {
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Method == method && row.Measure == m })
	if i < 0 {
		return nil
	}
	return &r.Rows[i]
}

// save writes the three forms of the result into the folder, each whole or not at all.
func (r *Result) save(dir string) error {
	return errors.Join(
		jsonfile.Write(filepath.Join(dir, "heads.json"), r),
		renameio.WriteFile(filepath.Join(dir, "heads.csv"), []byte(r.CSV()), 0o644),
		renameio.WriteFile(filepath.Join(dir, "heads.md"), []byte(r.Markdown()), 0o644))
}

// CSV returns one row for each setting and measure, differences with the ends of both intervals,
// then the values of the seeds.
func (r *Result) CSV() string {
	head := []string{"method", "set", "score", "measure", "mean", "deviation", "difference", "seeds_low", "seeds_high", "images_low", "images_high", "beyond_noise"}
	for _, seed := range r.Seeds {
		head = append(head, fmt.Sprintf("seed%d", seed))
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }
	t := eval.NewTable(head...)
	for _, row := range r.Rows {
		cells := []string{row.Method, row.Set, row.Score, row.Name, number(row.Mean), "", "", "", "", "", "", ""}
		if row.Deviation != nil {
			cells[5] = number(*row.Deviation)
		}
		if d := row.Difference; d != nil {
			cells[6] = number(d.Mean)
			for i, interval := range []*eval.Interval{d.Seeds, d.Images} {
				if interval != nil {
					cells[7+2*i], cells[8+2*i] = number(interval[0]), number(interval[1])
				}
			}
			if d.BeyondNoise != nil {
				cells[11] = strconv.FormatBool(*d.BeyondNoise)
			}
		}
		for _, v := range row.Values {
			cells = append(cells, number(v))
		}
		t.Add(append(cells, make([]string, len(head)-len(cells))...)...)
	}
	return t.CSV()
}

// Markdown returns a table for each outlier set, with what is needed to read them.
func (r *Result) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Heads behind a fixed detector\n\nCommand: %s  \nCommit %s. %s  \n", escape.Code(r.Command), escape.Markdown(r.Commit), r.Detector)
	fmt.Fprintf(&b, "Heads: %d steps, seeds %s, on %d foreground and %d background proposals of %d images of %s; scores fitted on %d objects.\n",
		r.Steps, strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Seeds), " ", ", "), "[]"), r.Foreground, r.Background, r.Training.Images,
		escape.Markdown(r.Training.String()), r.Fit)
	if len(r.Variants) > 0 {
		b.WriteString("\n")
	}
	for _, v := range r.Variants {
		fmt.Fprintf(&b, "- %s: %s\n", escape.Markdown(v.Name), escape.Code(strings.Join(v.Settings, " ")))
	}
	scores := slices.Compact([]string{energy, r.Best})
	for _, set := range r.Outliers {
		head := []string{"setting"}
		for _, score := range scores {
			head = append(head, score+" AUROC ↑", "difference", score+" FPR95 ↓", "difference")
		}
		t := eval.NewTable(head...)
		for _, method := range append([]string{detectorRow}, r.Methods...) {
			cells := []string{method}
			for _, score := range scores {
				for _, measure := range []string{"AUROC", "FPR95"} {
					cells = append(cells, r.row(method, study.Measure{Set: set.Name, Score: score, Name: measure}).texts()...)
				}
			}
			t.Add(cells...)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", escape.Markdown(set.Label), t.Markdown())
	}
	fmt.Fprintf(&b, "\nIn percent: mean ± sample deviation over the seeds. Differences are in points, setting minus %s with the same seed, with the 95 %% interval over the "+
		"seeds (Student's t). A dagger marks those beyond noise: that interval and the one over the images (paired bootstrap of the mean, %d resamples) leave 0 out on the "+
		"same side. Nothing is corrected for the number of comparisons. %s is the post-hoc score of the highest AUROC with %s on these sets, so that its own value is optimistic; "+
		"differences are not. %s is the run itself, without a head. All scores, and the losses of the last %d steps, are in heads.csv.\n",
		escape.Markdown(r.Baseline), r.Bootstrap.Resamples, r.Best, escape.Markdown(r.Baseline), detectorRow, lastSteps)
	return b.String()
}

// texts are the value and the difference of a row, in percent.
func (row *Row) texts() []string {
	if row == nil {
		return []string{"-", "-"}
	}
	value, difference := fmt.Sprintf("%.2f", 100*row.Mean), "-"
	if row.Deviation != nil {
		value += fmt.Sprintf(" ± %.2f", 100**row.Deviation)
	}
	if d := row.Difference; d != nil {
		difference = fmt.Sprintf("%+.2f", 100*d.Mean)
		if d.Seeds != nil {
			difference += fmt.Sprintf(" [%+.2f, %+.2f]", 100*d.Seeds[0], 100*d.Seeds[1])
		}
		if d.BeyondNoise != nil && *d.BeyondNoise {
			difference += " †"
		}
	}
	return []string{value, difference}
}
