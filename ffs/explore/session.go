package explore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/janpfeifer/gonb/gonbui"

	_ "ffslab/data/digits" // makes "digits:..." a data set
	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/infer"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// Session is what the notebooks look at: a run, its data sets, and the folder that figures and everything computed go to. It lives as long
// as its process.
type Session struct {
	// Out is the absolute path of the output folder.
	Out string
	// Quick says that everything is shrunk to see whether it works: the numbers mean nothing then.
	Quick bool

	given string   // run folder that was given; empty: the notebooks train their own
	id    string   // inlier set instead of the run's
	ood   []string // outlier sets instead of the run's
	// studies are folders of studies to show; root is the repository.
	studies []string
	root    string

	preset  func() (config.Config, error) // what the notebooks' own runs start from
	backend func() (compute.Backend, error)
	model   func() (*infer.Model, error)
}

// Open returns the session that the environment describes, as "ffs notebooks" sets it: FFSLAB_OUT (default: "out" in the repository), FFSLAB_QUICK,
// FFSLAB_RUN (a run folder to look at instead of training), FFSLAB_ID and FFSLAB_OOD (data sets instead of the run's, one a line), FFSLAB_STUDY (folders of studies, one a line). It fails
// if the run folder is none. Backend and model are opened when they are first needed.
func Open() (*Session, error) {
	s := &Session{
		Out: os.Getenv("FFSLAB_OUT"), Quick: os.Getenv("FFSLAB_QUICK") != "",
		given: os.Getenv("FFSLAB_RUN"), id: os.Getenv("FFSLAB_ID"),
		preset:  func() (config.Config, error) { return config.Load(config.DefaultPreset) },
		backend: sync.OnceValues(func() (compute.Backend, error) { return device.OpenForDetectors(device.FromEnvironment()) }),
	}
	if s.Out == "" {
		s.Out = filepath.Join(os.Getenv("FFSLAB_ROOT"), "out")
	}
	var err error
	if s.Out, err = filepath.Abs(s.Out); err != nil {
		return nil, err
	}
	s.ood, s.studies, s.root = lines("FFSLAB_OOD"), lines("FFSLAB_STUDY"), os.Getenv("FFSLAB_ROOT")
	if s.given != "" {
		if _, err := run.Open(s.given); err != nil {
			return nil, err
		}
	}
	s.model = sync.OnceValues(s.openModel)
	return s, nil
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

// Studies are the folders of the studies to show: those that were given, or those whose results lie in the repository.
func (s *Session) Studies() ([]string, error) {
	if len(s.studies) > 0 {
		return s.studies, nil
	}
	results, err := filepath.Glob(filepath.Join(s.root, "ffs", "study", "results", "*", "study.json"))
	for i, path := range results {
		results[i] = filepath.Dir(path)
	}
	return results, err
}

// Given reports whether the session looks at a run that it was given, rather than at those that notebook 02 trains.
func (s *Session) Given() bool { return s.given != "" }

// Run is a run with the name that figures give it.
type Run struct {
	Name string
	*run.Run
	// Group is what runs of several seeds have in common in figures that compare them; empty: their method.
	Group string
}

// Runs returns the runs to compare, the one that the other notebooks explore first: the given run, or those that notebook 02 has trained so
// far. An error says how to get one.
func (s *Session) Runs() ([]Run, error) {
	if s.Given() {
		r, err := run.Open(s.given)
		return []Run{{Name: filepath.Base(s.given), Run: r}}, err
	}
	var runs []Run
	for _, method := range methods {
		r, err := openTrained(s.runDir(method))
		if err != nil {
			return nil, err
		}
		if r != nil {
			runs = append(runs, Run{Name: method, Run: r})
		}
	}
	if len(runs) == 0 || runs[0].Name != methods[0] {
		return nil, fmt.Errorf("%s: there is no trained run yet: run the notebook 02_training first (or give a run: ffs notebooks --run DIR)", s.runDir(methods[0]))
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
func (s *Session) workDir(r Run) string {
	if s.Given() {
		return filepath.Join(s.Out, "explored", r.Name)
	}
	return r.Dir
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
	return infer.Open(backend, runs[0].Dir)
}

// flowModel is the model if it has a flow.
func (s *Session) flowModel() (*infer.Model, error) {
	m, err := s.Model()
	if err == nil && !m.HasFlow() {
		return nil, nothing("the run was trained with model.outlier.method=none and has no flow")
	}
	return m, err
}

// Show saves the figure as NAME.svg, NAME.png and NAME.csv in Out/figures, and shows it under the cell. It ends the program if that fails.
func (s *Session) Show(name string, figure *viz.Figure) {
	Check(figure.Save(filepath.Join(s.Out, "figures"), name))
	if err := figure.Show(); err != nil && !errors.Is(err, viz.ErrNoNotebook) {
		Check(err)
	}
}

// Print shows Markdown under the cell, and prints it outside a notebook.
func (s *Session) Print(markdown fmt.Stringer) {
	if !gonbui.IsNotebook {
		fmt.Println(markdown)
		return
	}
	gonbui.DisplayMarkdown(markdown.String())
	gonbui.Sync()
}
