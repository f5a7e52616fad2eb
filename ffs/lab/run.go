package lab

import (
	"bytes"
	"cmp"
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
)

//go:embed driver.py
var driver []byte

// RunOptions says which notebooks to run and what their cells are told. FFSLAB_HEADLESS tells them
// that no browser watches.
type RunOptions struct {
	Cells
	Dir     string        // folder of the notebooks; empty: ROOT/notebooks
	Only    []string      // beginnings of notebooks' names; none: all
	HTML    bool          // write pages as well, see writePages
	Timeout time.Duration // of a cell; 0: an hour
	Log     io.Writer     // progress; nil: standard error
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
	Source   string // the line of the cell that says most
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

// Run sets up what is missing and executes the notebooks one after the other, each in a fresh
// kernel. Executed copies go to OUT/notebooks, also that of a notebook that fails; the first
// failure ends the run with a *CellError. The results are those of the notebooks that succeeded.
func Run(ctx context.Context, options RunOptions) ([]Result, error) {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	root, err := FindRoot()
	if err != nil {
		return nil, err
	}
	// What is not there should not cost a set-up.
	if _, err := Notebooks(notebooksDir(options.Dir, root), options.Only); err != nil {
		return nil, err
	}
	if _, err := options.environment(); err != nil {
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

// notebooksDir is the folder of the notebooks: dir, or that of the repository at root.
func notebooksDir(dir, root string) string { return cmp.Or(dir, filepath.Join(root, "notebooks")) }

// run executes the notebooks in an environment that is set up.
func (e *environment) run(ctx context.Context, options RunOptions) ([]Result, error) {
	notebooks, err := Notebooks(notebooksDir(options.Dir, e.root), options.Only)
	if err != nil {
		return nil, err
	}
	out, err := options.out()
	if err != nil {
		return nil, err
	}
	executed := filepath.Join(out, "notebooks")
	if err := os.MkdirAll(executed, 0o755); err != nil {
		return nil, err
	}
	// GoNB leaves pipes and folders behind in TMPDIR; a folder of the run's own takes them away
	// with it.
	temporary, err := os.MkdirTemp("", "ffslab-notebooks-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	script := filepath.Join(temporary, "driver.py")
	if err := os.WriteFile(script, driver, 0o644); err != nil {
		return nil, err
	}
	environ, err := e.headlessEnvironment(options.Cells, temporary)
	if err != nil {
		return nil, err
	}
	since := time.Now()
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
		return results, step(options.Log, "writing the pages", func() error { return e.writePages(ctx, results, out, since, environ) })
	}
	return results, nil
}

// headlessEnvironment is the environment of the driver, the kernel and the cells: ours, without the
// user's own Jupyter settings.
func (e *environment) headlessEnvironment(cells Cells, temporary string) ([]string, error) {
	settings, err := cells.environment()
	if err != nil {
		return nil, err
	}
	e.addKernel(settings)
	for name, value := range map[string]string{
		"FFSLAB_HEADLESS": "1", "TMPDIR": temporary, "JUPYTER_NO_CONFIG": "1", "PYTHONNOUSERSITE": "1", "JUPYTER_PLATFORM_DIRS": "1",
		"JUPYTER_RUNTIME_DIR": filepath.Join(temporary, "runtime"), "JUPYTER_DATA_DIR": filepath.Join(temporary, "data"),
	} {
		settings[name] = value
	}
	return merge(os.Environ(), settings), nil
}

// addKernel adds what the kernel needs to be found and to start.
func (e *environment) addKernel(settings map[string]string) {
	settings["JUPYTER_PATH"] = joinPaths(filepath.Join(e.root, "notebooks"), os.Getenv("JUPYTER_PATH"))
	settings["FFSLAB_TOOLS"] = e.tools
}

// joinPaths puts a folder before those of a list, which may be empty.
func joinPaths(first, others string) string {
	if others == "" {
		return first
	}
	return first + string(os.PathListSeparator) + others
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
	Event   string `json:"event"` // start, cell, status or error
	Cell    int    `json:"cell"`
	Message string `json:"message"`
}

// execute runs the notebook and returns the number of its code cells.
func (j job) execute(ctx context.Context, show *progress) (int, error) {
	timeout := j.timeout
	if timeout == 0 {
		timeout = time.Hour
	}
	content, err := os.ReadFile(j.source)
	if err != nil {
		return 0, err
	}
	names := labels(readCells(content))
	cells := len(names)
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
	var failure *CellError
	for e := range show.heartbeat(events) {
		switch e.Event {
		case "start":
			show.begin(cells)
		case "cell":
			show.cell(e.Cell, names[e.Cell-1].title)
		case "status":
			show.status(e.Message)
		case "error":
			failure = &CellError{Notebook: filepath.Base(j.source), Cell: e.Cell, Message: e.Message}
			if e.Cell > 0 {
				failure.Source = names[e.Cell-1].line
			}
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
