package explore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"ffslab/data"
	_ "ffslab/data/digits" // registers "digits:..."
	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/infer"
	"ffslab/ffs/run"
	"ffslab/ffs/zoo"
	"ffslab/viz"
	"ffslab/viz/escape"
	"ffslab/viz/notebook"
)

// Options describe a session.
type Options struct {
	// Out is the output folder.
	Out string
	// Quick makes everything small, as a test: the numbers mean nothing.
	Quick bool
	// Run is a run folder or a detector of the zoo ("zoo:digits-none") to explore. If it is empty,
	// the session explores Trained; if that is empty too, the runs of Preset that notebook 02
	// trains.
	Run string
	// Trained are detectors of the zoo to compare; figures of one run show the first.
	Trained []string
	Preset  config.Config
	// Inlier and Outliers, unless empty, are specs of data sets that replace the run's.
	Inlier   string
	Outliers []string
	// Studies are folders of studies to show.
	Studies []string
	// Backend is called when a model is first needed.
	Backend func() (compute.Backend, error)
}

// Session is what the notebooks explore: runs, data sets, and the folder for figures and everything
// computed. It loads the first run's model when it is first needed, once.
type Session struct {
	// Out is the absolute path of the output folder.
	Out string
	// Quick says that everything is small, as a test: the numbers mean nothing.
	Quick bool

	options Options
	runs    []run.Named // see Of
	backend func() (compute.Backend, error)
	model   func() (*infer.Model, error)
	opened  *opened
}

// New returns a session. It is an error if Run is not a run.
func New(o Options) (*Session, error) {
	out, err := filepath.Abs(o.Out)
	if err != nil {
		return nil, err
	}
	if o.Run != "" {
		o.Trained = nil
		if _, err := run.Open(o.Run); err != nil {
			return nil, err
		}
	}
	s := &Session{Out: out, Quick: o.Quick, options: o, backend: sync.OnceValues(o.Backend), opened: &opened{sets: map[[2]string]*data.Dataset{}}}
	s.model = sync.OnceValues(s.openModel)
	return s, nil
}

// Open returns the session that environment variables describe. "ffs notebooks" and "ffs lab" set
// them:
//
//	FFSLAB_ROOT    the repository
//	FFSLAB_OUT     output folder; default: FFSLAB_ROOT/out
//	FFSLAB_QUICK   1: a quick session
//	FFSLAB_RUN     run folder or zoo:NAME; default: the zoo's digits-flow and digits-none
//	FFSLAB_TRAIN   1: train the runs instead of taking the zoo's
//	FFSLAB_ID      inlier set instead of the run's
//	FFSLAB_OOD     outlier sets instead of the run's, one a line
//	FFSLAB_STUDY   folders of studies, one a line; default: the results in the repository
func Open() (*Session, error) {
	root := os.Getenv("FFSLAB_ROOT")
	preset, err := config.Load(config.DefaultPreset)
	if err != nil {
		return nil, err
	}
	studies := lines("FFSLAB_STUDY")
	if len(studies) == 0 {
		results, err := filepath.Glob(filepath.Join(root, "ffs", "study", "results", "*", "study.json"))
		if err != nil {
			return nil, err
		}
		for _, path := range results {
			studies = append(studies, filepath.Dir(path))
		}
	}
	var trained []string
	if os.Getenv("FFSLAB_TRAIN") == "" {
		for _, method := range methods {
			trained = append(trained, zoo.Prefix+config.DefaultPreset+"-"+method)
		}
	}
	return New(Options{
		Out: cmp.Or(os.Getenv("FFSLAB_OUT"), filepath.Join(root, "out")), Quick: os.Getenv("FFSLAB_QUICK") != "",
		Run: os.Getenv("FFSLAB_RUN"), Trained: trained, Preset: preset, Inlier: os.Getenv("FFSLAB_ID"), Outliers: lines("FFSLAB_OOD"), Studies: studies,
		Backend: func() (compute.Backend, error) { return device.OpenForDetectors(device.FromEnvironment()) },
	})
}

// lines returns the non-empty lines of an environment variable.
func lines(variable string) []string {
	var all []string
	for line := range strings.Lines(os.Getenv(variable)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// Studies returns the folders of the studies to show.
func (s *Session) Studies() []string { return s.options.Studies }

// Given reports whether the session explores a given run (Options.Run).
func (s *Session) Given() bool { return s.options.Run != "" }

// Runs returns the runs to compare: the given run, those of the zoo, or those that notebook 02 has
// trained so far. Figures of one run show the first. It is an error if there is none yet.
func (s *Session) Runs() ([]run.Named, error) {
	if len(s.runs) > 0 {
		return s.runs, nil
	}
	if s.Given() {
		r, err := run.Open(s.options.Run)
		if err != nil {
			return nil, err
		}
		return []run.Named{{Name: filepath.Base(r.Dir), Run: r}}, nil
	}
	var runs []run.Named
	for _, name := range s.options.Trained {
		r, err := run.Open(name)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run.Named{Name: r.Config.Model.Outlier.Method, Run: r})
	}
	if len(runs) > 0 {
		return runs, nil
	}
	for _, method := range methods {
		r, err := openTrained(s.runDir(method))
		if err != nil {
			return nil, err
		}
		if r != nil {
			runs = append(runs, run.Named{Name: method, Run: r})
		}
	}
	if len(runs) == 0 || runs[0].Name != methods[0] {
		return nil, fmt.Errorf("%s: no trained run yet: run the notebook 02_training first, or name a run (--run)", s.runDir(methods[0]))
	}
	return runs, nil
}

// openTrained returns the run in the folder dir, or nil if it has no checkpoint yet.
func openTrained(dir string) (*run.Run, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	steps, err := r.Checkpoints()
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	return r, nil
}

// runDir returns the folder of a run that the notebooks train. Runs of quick sessions have folders
// of their own, so that they are not taken for others.
func (s *Session) runDir(method string) string {
	if s.Quick {
		method += "-quick"
	}
	return filepath.Join(s.Out, "runs", method)
}

// workDir returns the folder for what is computed from a run: the run's own if the notebooks
// trained it, else one in Out.
func (s *Session) workDir(r run.Named) string {
	if filepath.Dir(r.Dir) == filepath.Join(s.Out, "runs") {
		return r.Dir
	}
	return filepath.Join(s.Out, "explored", r.Name)
}

// Model returns the model of the first run, with the weights of its newest checkpoint.
func (s *Session) Model() (*infer.Model, error) { return s.model() }

func (s *Session) openModel() (*infer.Model, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	backend, err := s.backend()
	if err != nil {
		return nil, err
	}
	m, err := infer.Open(backend, runs[0].Dir)
	if err != nil {
		return nil, err
	}
	for _, note := range m.Checkpoint.Notes {
		escape.Fprintf(os.Stderr, "warning: %s\n", note)
	}
	return m, nil
}

// flowModel returns the model; for one without a flow the error wraps [viz.ErrNothing].
func (s *Session) flowModel() (*infer.Model, error) {
	m, err := s.Model()
	if err == nil && !m.HasFlow() {
		return nil, nothing("the run was trained with model.outlier.method=%s and has no flow", m.Config.Model.Outlier.Method)
	}
	return m, err
}

// Show saves the figure as NAME.svg, NAME.png and NAME.csv in Out/figures and shows it under the
// cell. It ends the program if that fails.
func (s *Session) Show(name string, figure *viz.Figure) {
	figure.Caption = s.banner() + figure.Caption
	Check(figure.Save(filepath.Join(s.Out, "figures"), name))
	if err := notebook.Show(figure); !errors.Is(err, notebook.ErrNone) {
		Check(err)
	}
}

// banner returns the beginning of captions of a run that was not trained to the end, "" for other
// runs.
func (s *Session) banner() string {
	runs, err := s.Runs()
	if err != nil {
		return "" // there is no run yet
	}
	c := runs[0].Config
	steps, err := runs[0].Checkpoints()
	if err != nil || len(steps) == 0 || c.Origin.Weights != "" {
		return ""
	}
	done, of := steps[len(steps)-1], c.Train.MaxIter
	if !s.Given() {
		of = max(of, s.options.Preset.Train.MaxIter)
	}
	if done >= of {
		return ""
	}
	return fmt.Sprintf("NOT TRAINED TO THE END (%d of %d steps): this shows that everything works, not how well. ", done, of)
}

// Print shows Markdown under the cell, or prints it outside a notebook. It ends the program if that
// fails.
func (s *Session) Print(markdown fmt.Stringer) {
	err := notebook.ShowMarkdown(markdown.String())
	if errors.Is(err, notebook.ErrNone) {
		fmt.Println(markdown)
		return
	}
	Check(err)
}
