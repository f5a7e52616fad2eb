package study

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/google/renameio/v2"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/protocol"
)

// Result is the result of a study so far, and the content of study.json. Values are fractions; null
// means not measured.
type Result struct {
	Command string `json:"command"`
	Commit  string `json:"commit"`
	// ConfigDigest is that of the configuration with the baseline method and the first seed (see
	// config.Config.Digest).
	ConfigDigest string `json:"config_digest"`
	// Methods are the rows: methods, followed by variants.
	Methods  []string  `json:"methods"`
	Variants []Variant `json:"variants,omitempty"`
	Baseline string    `json:"baseline"`
	Seeds    []int64   `json:"seeds"`
	// Steps is the length of every training, ImagesPerStep its batch size.
	Steps         int        `json:"steps"`
	ImagesPerStep int        `json:"images_per_step"`
	Training      eval.Set   `json:"training"`
	Inlier        eval.Set   `json:"inlier"`
	Outliers      []eval.Set `json:"outliers"`
	// Bootstrap says how the intervals were estimated.
	Bootstrap eval.Bootstrap `json:"bootstrap"`
	// Cells are the finished runs, in the order in which they were made.
	Cells []Cell `json:"cells"`
	// Rows hold every measure that any cell has, method by method.
	Rows []Row `json:"results"`

	values    map[cell]map[Measure]float64
	intervals map[cell]map[Measure]eval.Interval // of the difference from the baseline
}

// Cell is one run of the grid.
type Cell struct {
	Method string `json:"method"`
	Seed   int64  `json:"seed"`
	// Run is its folder, relative to that of the study. Commit is that of the code that started its
	// training.
	Run    string `json:"run"`
	Commit string `json:"commit"`
	// Computed says where and when it was computed and with how much memory; older studies lack it.
	Computed []Stint `json:"computed,omitempty"`
}

func newResult(o Options, sets []*data.Dataset) (*Result, error) {
	baseline, err := o.configure(cell{o.Baseline, o.Seeds[0]})
	if err != nil {
		return nil, err
	}
	digest, err := baseline.Digest()
	if err != nil {
		return nil, err
	}
	r := &Result{
		Command: o.Config.Origin.Command, Commit: o.Config.Origin.Commit, ConfigDigest: digest,
		Methods: o.rows(), Variants: o.Variants, Baseline: o.Baseline, Seeds: o.Seeds, Steps: o.Config.Train.MaxIter, ImagesPerStep: o.Config.Train.ImagesPerStep,
		Training: protocol.Describe(o.Training), Inlier: protocol.Describe(sets[0]), Outliers: []eval.Set{}, Bootstrap: o.Bootstrap, Cells: []Cell{}, Rows: []Row{},
		values: map[cell]map[Measure]float64{}, intervals: map[cell]map[Measure]eval.Interval{},
	}
	for _, set := range sets[1:] {
		r.Outliers = append(r.Outliers, protocol.Describe(set))
	}
	return r, nil
}

// record adds the measures of a cell and compares it with the baseline.
func (s *study) record(c cell, measured *protocol.Evaluation, at func(doing string)) error {
	r := s.result
	kept, err := readRecord(s.Out, c.name())
	if err != nil {
		return err
	}
	r.Cells = append(r.Cells, Cell{c.method, c.seed, path.Join(runsDir, c.name()), measured.Run.Config.Origin.Commit, kept.Stints})
	r.values[c] = values(measured.Report)
	if c.method == s.Baseline {
		s.baseline = measured
	} else if s.baseline != nil {
		at("comparing")
		if r.intervals[c], err = intervals(measured, s.baseline, s.Bootstrap); err != nil {
			return fmt.Errorf("against %s: %w", s.Baseline, err)
		}
	}
	r.summarise()
	return nil
}

// save writes the four forms of the result into the folder, each whole or not at all.
func (r *Result) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	errs := []error{jsonfile.Write(filepath.Join(dir, "study.json"), r)}
	for name, content := range map[string]string{"study.md": r.Markdown(), "study.csv": r.CSV(), "study.tex": r.LaTeX()} {
		if err := renameio.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", filepath.Join(dir, name), err))
		}
	}
	return errors.Join(errs...)
}
