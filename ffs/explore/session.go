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

	_ "ffslab/data/digits" // makes "digits:..." a data set
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
	// Quick shrinks everything to see whether it works: the numbers mean nothing then.
	Quick bool
	// Run is a run folder to look at, or a detector of the zoo; empty: the runs Trained, or, if there are
	// none of these either, runs of the configuration Preset that notebook 02 trains.
	Run string
	// Trained are detectors of the zoo to look at ("zoo:digits-flow"), the one to explore first.
	Trained []string
	Preset  config.Config
	// Inlier and Outliers are specs of data sets instead of the run's; empty: the run's.
	Inlier   string
	Outliers []string
	// Studies are folders of studies to show.
	Studies []string
	// Backend is called when a model is first needed.
	Backend func() (compute.Backend, error)
}

// Session is what the notebooks look at: a run, its data sets, and the folder that figures and everything computed go to. It lives as long
// as its process.
type Session struct {
	// Out is the absolute path of the output folder.
	Out string
	// Quick says that everything is shrunk to see whether it works: the numbers mean nothing then.
	Quick bool

	options Options
	runs    []run.Named // see Of
	backend func() (compute.Backend, error)
	model   func() (*infer.Model, error)
}

// New returns a session. A folder given as a run that is none is an error.
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
	s := &Session{Out: out, Quick: o.Quick, options: o, backend: sync.OnceValues(o.Backend)}
	s.model = sync.OnceValues(s.openModel)
	return s, nil
}

// Open returns the session that the environment describes, as "ffs notebooks" sets it: FFSLAB_OUT (default: "out" in the repository, FFSLAB_ROOT),
// FFSLAB_QUICK, FFSLAB_RUN (a run folder to look at), FFSLAB_TRAIN (train instead of looking at the zoo), FFSLAB_ID and FFSLAB_OOD (data sets instead of the run's, one a line),
// FFSLAB_STUDY (folders of studies, one a line; default: the studies whose results lie in the repository). It fails as [New] does.
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

// lines are those of an environment variable, without the empty ones.
func lines(variable string) []string {
	var all []string
	for line := range strings.Lines(os.Getenv(variable)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// Studies are the folders of the studies to show.
func (s *Session) Studies() []string { return s.options.Studies }

// Given reports whether the session looks at a run that it was given, rather than at those that notebook 02 trains.
func (s *Session) Given() bool { return s.options.Run != "" }

// Runs returns the runs to compare, the one that the other notebooks explore first: the given run, those
// of the zoo, or those that notebook 02 has trained so far. An error says how to get one.
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
		return nil, fmt.Errorf("%s: there is no trained run yet: run the notebook 02_training first, or give the session a run", s.runDir(methods[0]))
	}
	return runs, nil
}

// openTrained returns the run in the folder, or nil if it has no checkpoint yet.
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

// runDir is the folder of a run that notebook 02 trains. Quick runs have their own, so that they are never taken for real ones.
func (s *Session) runDir(method string) string {
	if s.Quick {
		method += "-quick"
	}
	return filepath.Join(s.Out, "runs", method)
}

// workDir is the folder for what is computed from a run: its own folder if the notebooks have trained it, else one in Out.
func (s *Session) workDir(r run.Named) string {
	if filepath.Dir(r.Dir) == filepath.Join(s.Out, "runs") {
		return r.Dir
	}
	return filepath.Join(s.Out, "explored", r.Name)
}

// Model returns the first of [Session.Runs], loaded with its newest checkpoint. It is opened once.
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
	for _, note := range m.Weights.Notes {
		escape.Fprintf(os.Stderr, "warning: %s\n", note)
	}
	return m, nil
}

// flowModel is the model if it has a flow.
func (s *Session) flowModel() (*infer.Model, error) {
	m, err := s.Model()
	if err == nil && !m.HasFlow() {
		return nil, nothing("the run was trained with model.outlier.method=%s and has no flow", m.Config.Model.Outlier.Method)
	}
	return m, err
}

// Show saves the figure as NAME.svg, NAME.png and NAME.csv in Out/figures, and shows it under the cell. It ends the program if that fails.
func (s *Session) Show(name string, figure *viz.Figure) {
	figure.Caption = s.banner() + figure.Caption
	Check(figure.Save(filepath.Join(s.Out, "figures"), name))
	if err := notebook.Show(figure); !errors.Is(err, notebook.ErrNone) {
		Check(err)
	}
}

// banner begins the captions of figures of a run that was not trained to the end; it is empty for others.
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

// Print shows Markdown under the cell, and prints it outside a notebook. It ends the program if that fails.
func (s *Session) Print(markdown fmt.Stringer) {
	err := notebook.ShowMarkdown(markdown.String())
	if errors.Is(err, notebook.ErrNone) {
		fmt.Println(markdown)
		return
	}
	Check(err)
}
