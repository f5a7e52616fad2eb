package lab

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // driver.py
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed driver.py
var driver []byte

// RunOptions are the options of [Run].
type RunOptions struct {
	Cells
	Dir     string        // folder of the notebooks; empty: ROOT/notebooks
	Only    []string      // beginnings of the names of notebooks; empty: all
	HTML    bool          // also write the notebooks as pages
	Timeout time.Duration // of a cell; 0: one hour
	Log     io.Writer     // progress; nil: standard error
}

// Result is an executed notebook.
type Result struct {
	Notebook string  `json:"notebook"` // path of the executed copy
	Cells    int     `json:"cells"`    // code cells
	Seconds  float64 `json:"seconds"`
}

// CellError is the error of a notebook whose cell failed.
type CellError struct {
	Notebook string // file name
	Cell     int    // number of the code cell, from 1; 0: before any cell
	Source   string // the most telling line of the cell
	Message  string // what the cell wrote to standard error
}

// Error returns one line with the notebook, the cell and the most telling line of the message.
func (e *CellError) Error() string {
	where := e.Notebook
	if e.Cell > 0 {
		where += fmt.Sprintf(", code cell %d (%s)", e.Cell, e.Source)
	}
	return where + ": " + gist(e.Message)
}

// gist returns the line that says why a Go program failed.
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

// Run installs what is missing and executes the notebooks, each in a fresh kernel, without a
// browser (FFSLAB_HEADLESS=1). A notebook runs after the previous one or, if its metadata name
// others ({"ffslab": {"after": ["02_training"]}}), after these alone; at most two run at a time.
// Executed copies go to OUT/notebooks, also the copy of a notebook that fails. The first failing
// cell ends the run with a [*CellError]; the results are those of the notebooks that succeeded.
func Run(ctx context.Context, options RunOptions) ([]Result, error) {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	root, err := FindRoot()
	if err != nil {
		return nil, err
	}
	// Report faults of the options before the set-up.
	if _, err := Notebooks(notebooksDir(options.Dir, root), options.Only); err != nil {
		return nil, err
	}
	if _, err := options.environment(); err != nil {
		return nil, err
	}
	env, err := prepare(ctx, root, false, options.Device, options.Log)
	if err != nil {
		return nil, err
	}
	return env.run(ctx, options)
}

// notebooksDir returns dir or, if it is empty, the repository's folder of notebooks.
func notebooksDir(dir, root string) string { return cmp.Or(dir, filepath.Join(root, "notebooks")) }

// run executes the notebooks.
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
	// GoNB leaves pipes and folders in TMPDIR, which are removed with this folder.
	temporary, err := os.MkdirTemp("", "ffslab-notebooks-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	script := filepath.Join(temporary, "driver.py")
	if err := os.WriteFile(script, driver, 0o644); err != nil {
		return nil, err
	}
	contents := make([][]byte, len(notebooks))
	for i, notebook := range notebooks {
		if contents[i], err = os.ReadFile(notebook); err != nil {
			return nil, err
		}
	}
	order, err := before(notebooks, contents, options.Train)
	if err != nil {
		return nil, err
	}
	since, shown := time.Now(), newBoard(options.Log)
	done := make([]Result, len(notebooks))
	err = inOrder(ctx, order, min(together, runtime.NumCPU()), func(ctx context.Context, i int) error {
		name := filepath.Base(notebooks[i])
		own := filepath.Join(temporary, name)
		if err := os.Mkdir(own, 0o700); err != nil {
			return err
		}
		// What runs is what was read above, even if the notebook is edited meanwhile.
		if err := os.WriteFile(filepath.Join(own, name), contents[i], 0o600); err != nil {
			return err
		}
		environ, err := e.headlessEnvironment(options.Cells, own)
		if err != nil {
			return err
		}
		job := job{
			python: e.interpreter.Path, script: script, environ: environ, timeout: options.Timeout,
			source: filepath.Join(own, name), target: filepath.Join(executed, name), cells: labels(readCells(contents[i])),
		}
		show := shown.begin(fmt.Sprintf("[%d/%d] %s", i+1, len(notebooks), strings.TrimSuffix(name, ".ipynb")), len(job.cells))
		begin := time.Now()
		err = job.execute(ctx, show)
		show.end(err)
		if err == nil {
			done[i] = Result{Notebook: job.target, Cells: len(job.cells), Seconds: time.Since(begin).Seconds()}
		}
		return err
	})
	results := slices.DeleteFunc(done, func(r Result) bool { return r.Notebook == "" })
	if err != nil || !options.HTML {
		return results, err
	}
	environ, err := e.headlessEnvironment(options.Cells, temporary)
	if err != nil {
		return results, err
	}
	return results, step(options.Log, "writing the pages", func() error { return e.writePages(ctx, results, out, since, environ) })
}

// headlessEnvironment returns the environment variables of the driver, the kernel and the cells:
// ours without the user's Jupyter settings, and with a folder for temporary files.
func (e *environment) headlessEnvironment(cells Cells, temporary string) ([]string, error) {
	settings, err := cells.environment()
	if err != nil {
		return nil, err
	}
	e.addKernel(settings)
	maps.Copy(settings, map[string]string{
		"FFSLAB_HEADLESS": "1", "TMPDIR": temporary, "JUPYTER_NO_CONFIG": "1", "PYTHONNOUSERSITE": "1", "JUPYTER_PLATFORM_DIRS": "1",
		"JUPYTER_RUNTIME_DIR": filepath.Join(temporary, "runtime"), "JUPYTER_DATA_DIR": filepath.Join(temporary, "data"),
	})
	return withSettings(settings), nil
}

// addKernel adds the environment variables that the kernel needs.
func (e *environment) addKernel(settings map[string]string) {
	settings["JUPYTER_PATH"] = joinPaths(filepath.Join(e.root, "notebooks"), os.Getenv("JUPYTER_PATH"))
	settings["FFSLAB_TOOLS"] = e.tools
}

// joinPaths puts a folder first in a list of paths, which may be empty.
func joinPaths(first, others string) string {
	if others == "" {
		return first
	}
	return first + string(os.PathListSeparator) + others
}

// withSettings returns this process's environment variables followed by settings, of which
// [exec.Cmd] takes the last of each name.
func withSettings(settings map[string]string) []string {
	environ := os.Environ()
	for name, value := range settings {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// job is the execution of a notebook by the driver.
type job struct {
	python, script string
	environ        []string
	source, target string
	cells          []label
	timeout        time.Duration
}

// event is a line of the driver's output.
type event struct {
	Event   string `json:"event"` // cell, status or error
	Cell    int    `json:"cell"`
	Message string `json:"message"`
}

// execute runs the notebook.
func (j job) execute(ctx context.Context, show *progress) error {
	timeout := cmp.Or(j.timeout, time.Hour)
	seconds := strconv.Itoa(max(1, int(timeout.Seconds())))
	command := gentleCommand(ctx, j.python, j.script, j.source, j.target, kernelName, seconds)
	command.Env = j.environ
	runtime.LockOSThread() // see parentdeath
	defer runtime.UnlockOSThread()
	var log bytes.Buffer // of kernel and nbclient, for errors outside cells
	command.Stderr = &log
	events, err := startEvents(command)
	if err != nil {
		return err
	}
	var failure *CellError
	for e := range show.heartbeat(events) {
		switch e.Event {
		case "cell":
			show.cell(e.Cell, j.cells[e.Cell-1].title)
		case "status":
			show.status(e.Message)
		case "error":
			failure = &CellError{Notebook: filepath.Base(j.source), Cell: e.Cell, Message: e.Message}
			if e.Cell > 0 {
				failure.Source = j.cells[e.Cell-1].line
			}
		}
	}
	err = command.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failure != nil:
		if failure.Cell == 0 {
			failure.Message = tail(log.String(), 20) + "\n" + failure.Message
		}
		return failure
	case err != nil:
		return fmt.Errorf("%s: the driver failed: %w", filepath.Base(j.source), errors.Join(err, errors.New(tail(log.String(), 5))))
	}
	return nil
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
