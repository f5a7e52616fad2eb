package lab

import (
	"bytes"
	"context"
	_ "embed" // driver.py
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"ffslab/ffs/device"
	"ffslab/ffs/zoo"
)

//go:embed driver.py
var driver []byte

// RunOptions says which notebooks to run and what their cells are told. The cells read the settings from the environment:
// FFSLAB_OUT, FFSLAB_QUICK (1), FFSLAB_RUN, FFSLAB_TRAIN (1), FFSLAB_ID, FFSLAB_OOD (one specification a line), FFSLAB_STUDY (one folder a line), and FFSLAB_ROOT, the
// repository; what is not set is empty. FFSLAB_HEADLESS tells them that no browser watches.
type RunOptions struct {
	Dir     string            // folder of the notebooks; empty: ROOT/notebooks
	Only    []string          // beginnings of notebooks' names; none: all
	Out     string            // folder for executed notebooks, figures and runs; empty: "out"
	HTML    bool              // write pages as well, see writePages
	Quick   bool              // fewer pictures, fewer steps
	Train   bool              // train the runs to look at, instead of taking the zoo's
	RunDir  string            // a run folder or a detector of the zoo to look at
	ID      string            // the inlier data set of RunDir
	OOD     []string          // its outlier data sets
	Studies []string          // folders of studies to show instead of the repository's results
	Device  device.Options    // the backend of the cells, and of the check before them
	Env     map[string]string // more environment for the cells
	Timeout time.Duration     // of a cell; 0: an hour
	Log     io.Writer         // progress; nil: standard error
}

// Result is one executed notebook.
type Result struct {
	Notebook string  `json:"notebook"` // path of the executed copy
	Cells    int     `json:"cells"`    // code cells
	Seconds  float64 `json:"seconds"`
}

// CellError is the error of a notebook whose cell failed.
type CellError struct {
	Notebook string // file name
	Cell     int    // number of the code cell, from 1; 0: before any cell
	Source   string // the cell's first line
	Message  string // everything that the cell wrote about its end
}

// Error is one line: the notebook, the cell and the line of the message that says most.
func (e *CellError) Error() string {
	where := e.Notebook
	if e.Cell > 0 {
		where += fmt.Sprintf(", code cell %d (%s)", e.Cell, e.Source)
	}
	return where + ": " + gist(e.Message)
}

// gist picks the line of a Go program's last words that says what happened.
func gist(message string) string {
	last := ""
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "panic:"), strings.HasPrefix(line, "fatal error:"):
			return line
		case line == "", last != "" && (strings.HasPrefix(line, "exit status") || strings.HasPrefix(line, "signal:")):
		default:
			last = line
		}
	}
	return last
}

// Run sets up what is missing and executes the notebooks one after the other, each in a fresh kernel. Executed copies go
// to OUT/notebooks, also that of a notebook that fails; the first failure ends the run with a *CellError. The results are
// those of the notebooks that succeeded.
func Run(ctx context.Context, options RunOptions) ([]Result, error) {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	root, err := FindRoot()
	if err != nil {
		return nil, err
	}
	// A name that is not there should not cost a set-up.
	if _, err := Notebooks(options.dir(root), options.Only); err != nil {
		return nil, err
	}
	env, err := setUp(ctx, root, false, options.Log)
	if err != nil {
		return nil, err
	}
	if err := env.prepareCells(ctx, options.Device, options.Log); err != nil {
		return nil, err
	}
	return env.run(ctx, options)
}

func (o RunOptions) dir(root string) string {
	if o.Dir != "" {
		return o.Dir
	}
	return filepath.Join(root, "notebooks")
}

// run executes the notebooks in an environment that is set up.
func (e *environment) run(ctx context.Context, options RunOptions) ([]Result, error) {
	notebooks, err := Notebooks(options.dir(e.root), options.Only)
	if err != nil {
		return nil, err
	}
	if options.Out == "" {
		options.Out = "out"
	}
	out, err := filepath.Abs(options.Out)
	if err != nil {
		return nil, err
	}
	executed := filepath.Join(out, "notebooks")
	if err := os.MkdirAll(executed, 0o755); err != nil {
		return nil, err
	}
	// GoNB leaves pipes and folders behind in TMPDIR; a folder of the run's own takes them away with it.
	temporary, err := os.MkdirTemp("", "ffslab-notebooks-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	script := filepath.Join(temporary, "driver.py")
	if err := os.WriteFile(script, driver, 0o644); err != nil {
		return nil, err
	}
	environ, err := e.headlessEnvironment(options, out, temporary)
	if err != nil {
		return nil, err
	}
	var results []Result
	for i, notebook := range notebooks {
		name := filepath.Base(notebook)
		show := newProgress(options.Log, fmt.Sprintf("[%d/%d] %s", i+1, len(notebooks), strings.TrimSuffix(name, ".ipynb")))
		job := job{
			python: e.interpreter.Path, script: script, environ: environ, timeout: options.Timeout,
			source: notebook, target: filepath.Join(executed, name),
		}
		begin := time.Now()
		cells, err := job.execute(ctx, show)
		show.end(err)
		if err != nil {
			return results, err
		}
		results = append(results, Result{Notebook: job.target, Cells: cells, Seconds: time.Since(begin).Seconds()})
	}
	if options.HTML {
		return results, step(options.Log, "writing the pages", func() error { return e.writePages(ctx, results, out, environ) })
	}
	return results, nil
}

// headlessEnvironment is the environment of the driver, the kernel and the cells: ours, without the user's own Jupyter
// settings.
func (e *environment) headlessEnvironment(options RunOptions, out, temporary string) ([]string, error) {
	settings := e.kernelEnvironment(options.Device.Backend)
	for name, value := range map[string]string{
		"FFSLAB_HEADLESS": "1", "FFSLAB_OUT": out, "FFSLAB_QUICK": "", "FFSLAB_TRAIN": "", "FFSLAB_RUN": "",
		"FFSLAB_ID": options.ID, "FFSLAB_OOD": strings.Join(options.OOD, "\n"),
		"TMPDIR": temporary, "JUPYTER_NO_CONFIG": "1", "PYTHONNOUSERSITE": "1", "JUPYTER_PLATFORM_DIRS": "1",
		"JUPYTER_RUNTIME_DIR": filepath.Join(temporary, "runtime"), "JUPYTER_DATA_DIR": filepath.Join(temporary, "data"),
	} {
		settings[name] = value
	}
	if options.Quick {
		settings["FFSLAB_QUICK"] = "1"
	}
	if options.Train {
		settings["FFSLAB_TRAIN"] = "1"
	}
	if options.RunDir != "" {
		dir, err := zoo.Folder(options.RunDir)
		if err != nil {
			return nil, err
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("run folder: %w", err)
		}
		settings["FFSLAB_RUN"] = dir
	}
	studies := make([]string, len(options.Studies))
	for i, dir := range options.Studies {
		path, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(path, "study.json")); err != nil {
			return nil, fmt.Errorf("study folder: %w", err)
		}
		studies[i] = path
	}
	settings["FFSLAB_STUDY"] = strings.Join(studies, "\n")
	for name, value := range options.Env {
		settings[name] = value
	}
	return merge(os.Environ(), settings), nil
}

// kernelEnvironment is what the kernel needs to be found and to start.
func (e *environment) kernelEnvironment(backend string) map[string]string {
	path := filepath.Join(e.root, "notebooks")
	if others := os.Getenv("JUPYTER_PATH"); others != "" {
		path += string(os.PathListSeparator) + others
	}
	settings := map[string]string{"JUPYTER_PATH": path, "FFSLAB_TOOLS": e.tools}
	if backend != "" {
		settings[compute.ConfigEnvVar] = backend
	}
	return settings
}

// merge replaces or adds variables of an environment.
func merge(environ []string, settings map[string]string) []string {
	var merged []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if _, replaced := settings[name]; !replaced {
			merged = append(merged, entry)
		}
	}
	for name, value := range settings {
		merged = append(merged, name+"="+value)
	}
	return merged
}

// job is one notebook for the driver.
type job struct {
	python, script string
	environ        []string
	source, target string
	timeout        time.Duration
}

// event is a line of the driver's output.
type event struct {
	Event   string `json:"event"` // start, cell or error
	Cells   int    `json:"cells"`
	Cell    int    `json:"cell"`
	Source  string `json:"source"`
	Message string `json:"message"`
}

// execute runs the notebook and returns the number of its code cells.
func (j job) execute(ctx context.Context, show *progress) (int, error) {
	timeout := j.timeout
	if timeout == 0 {
		timeout = time.Hour
	}
	seconds := strconv.Itoa(max(1, int(timeout.Seconds())))
	command := gentleCommand(ctx, j.python, j.script, j.source, j.target, kernelName, seconds)
	command.Env = j.environ
	runtime.LockOSThread() // see endWithUs
	defer runtime.UnlockOSThread()
	var log bytes.Buffer // the kernel's and nbclient's own log: of interest only if no cell is to blame
	command.Stderr = &log
	events, err := startEvents(command)
	if err != nil {
		return 0, err
	}
	cells := 0
	var failure *CellError
	for e := range show.heartbeat(events) {
		switch e.Event {
		case "start":
			cells = e.Cells
			show.begin(cells)
		case "cell":
			show.cell(e.Cell, e.Source)
		case "error":
			failure = &CellError{Notebook: filepath.Base(j.source), Cell: e.Cell, Source: e.Source, Message: e.Message}
		}
	}
	err = command.Wait()
	switch {
	case ctx.Err() != nil:
		return cells, ctx.Err()
	case failure != nil:
		if failure.Cell == 0 {
			failure.Message = tail(log.String(), 20) + "\n" + failure.Message
		}
		return cells, failure
	case err != nil:
		return cells, fmt.Errorf("%s: the driver failed: %w", filepath.Base(j.source), errors.Join(err, errors.New(tail(log.String(), 5))))
	}
	return cells, nil
}

// tail is the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
