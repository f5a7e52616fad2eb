package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // constraints.txt
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ffslab/ffs/device"
	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/plotly"
	"ffslab/ffs/internal/python"
	"ffslab/ffs/internal/remedy"
)

//go:embed constraints.txt
var constraints []byte

// The Python packages of the two environments. constraints.txt pins them and their dependencies.
var (
	headlessPackages = []string{"nbclient", "jupyter_client", "nbconvert", "latex2mathml"}
	labPackages      = append([]string{"jupyterlab", "jupyter_server", "ipykernel"}, headlessPackages...)
)

// The Go tools of the kernel, at go.mod's versions.
var toolPackages = []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports"}

// environment is what notebooks run in.
type environment struct {
	root        string // of the repository
	interpreter python.Interpreter
	tools       string // folder of gonb and goimports
}

// prepare installs what notebooks need and compiles what makes their first cells quick, all at the
// same time, because much of it waits for the network or uses one core.
func prepare(ctx context.Context, root string, withLab bool, backend device.Options, log io.Writer) (*environment, error) {
	log = &lockedWriter{w: log}
	parts, ctx := errgroup.WithContext(ctx)
	var env *environment
	parts.Go(func() (err error) {
		env, err = setUp(ctx, root, withLab, log)
		return err
	})
	parts.Go(func() error { return prepareCells(ctx, root, backend, log) })
	parts.Go(func() error {
		if _, err := plotly.Script(ctx, log); err != nil && ctx.Err() == nil {
			fmt.Fprintf(log, "warning: %v: the explorer's pages will say how to get it\n", err)
		}
		return nil
	})
	err := parts.Wait()
	return env, err
}

// lockedWriter is a writer that several goroutines may use.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// setUp checks the requirements and installs what is missing, with a line in log for every step
// that takes time. The Python environment is the small one for headless runs unless withLab. Errors
// name what is missing and the remedy.
func setUp(ctx context.Context, root string, withLab bool, log io.Writer) (*environment, error) {
	if err := checkKernel(root); err != nil {
		return nil, err
	}
	if err := checkCompiler(ctx); err != nil {
		return nil, err
	}
	env := &environment{root: root}
	var err error
	if env.interpreter, err = installPython(ctx, withLab, log); err != nil {
		return nil, err
	}
	if env.tools, err = installTools(ctx, root, log); err != nil {
		return nil, err
	}
	return env, nil
}

// prepareCells opens the backend, which installs the plugin, and compiles the repository's
// packages, so that the first cell is quick and does not fail for lack of them.
func prepareCells(ctx context.Context, root string, backend device.Options, log io.Writer) error {
	backend.Log, backend.Context = log, ctx
	opened, err := device.OpenForDetectors(backend)
	if err != nil {
		return err
	}
	opened.Finalize()
	return step(log, "compiling the packages for the cells", func() error {
		return goCommand(ctx, root, "build", "./...")
	})
}

// installPython returns the environment with JupyterLab, or without withLab any that is installed
// already, or else the smaller one.
func installPython(ctx context.Context, withLab bool, log io.Writer) (python.Interpreter, error) {
	base, err := python.Find(ctx)
	if err != nil {
		return python.Interpreter{}, err
	}
	full, err := pythonDir("lab", base.Version)
	if err != nil {
		return python.Interpreter{}, err
	}
	dir, packages, size := full, labPackages, "a minute or two, 240 MB"
	if _, err := os.Stat(full); err != nil && !withLab {
		if dir, err = pythonDir("headless", base.Version); err != nil {
			return python.Interpreter{}, err
		}
		packages, size = headlessPackages, "some ten seconds, 70 MB"
	}
	err = cache.Install(ctx, dir, func(temporary string) error {
		return step(log, fmt.Sprintf("installing Jupyter's packages into %s (%s)", dir, size), func() error {
			venv, err := base.Venv(ctx, temporary)
			if err != nil {
				return err
			}
			list := filepath.Join(temporary, "constraints.txt")
			if err := os.WriteFile(list, constraints, 0o644); err != nil {
				return err
			}
			return venv.Pip(ctx, "install", append([]string{"--quiet", "--constraint", list}, packages...)...)
		})
	})
	// The environment's scripts hold the temporary folder's name: use "python -m".
	return python.InVenv(dir, base.Version), err
}

// pythonDir returns the folder of an environment, which depends on the version of Python and on the
// packages and their versions.
func pythonDir(kind, version string) (string, error) {
	packages := append(slices.Clone(constraints), strings.Join(labPackages, " ")...)
	return cache.Dir("python", fmt.Sprintf("%s-%s-%s", kind, version, digest(packages)))
}

// installTools downloads the modules that cells may import and builds the tools of the kernel.
func installTools(ctx context.Context, root string, log io.Writer) (string, error) {
	dir, err := toolsDir(root)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		// Takes 0.2 s and repairs a module cache that was cleaned.
		return dir, goCommand(ctx, root, "mod", "download")
	}
	return dir, cache.Install(ctx, dir, func(temporary string) error {
		if err := step(log, "downloading the Go modules", func() error { return goCommand(ctx, root, "mod", "download") }); err != nil {
			return err
		}
		return step(log, "building the Go kernel", func() error {
			return goCommand(ctx, root, append([]string{"build", "-o", temporary + string(filepath.Separator)}, toolPackages...)...)
		})
	})
}

// toolsDir returns the folder of the tools, which depends on go.mod's versions and on the version
// of Go.
func toolsDir(root string) (string, error) {
	var versions []byte
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		versions = append(versions, content...)
	}
	return cache.Dir("tools", digest(append(versions, runtime.Version()...)))
}

func digest(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content))[:16] }

// checkCompiler returns an error if Go cannot compile C, which the XLA backend needs.
func checkCompiler(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "CC", "CGO_ENABLED").Output()
	if err != nil {
		return &remedy.Error{Fault: fmt.Sprintf("the go command does not start (%v)", err), Remedy: "install Go and put it on PATH: notebook cells are compiled"}
	}
	compiler, enabled, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	command := strings.Fields(compiler)
	if len(command) > 0 {
		if _, err := exec.LookPath(command[0]); err != nil {
			return &remedy.Error{
				Fault:  fmt.Sprintf("the C compiler %q is missing, which Go needs for XLA", compiler),
				Remedy: "apt install gcc libc6-dev (macOS: xcode-select --install), or set CC",
			}
		}
	}
	if enabled != "1" {
		return &remedy.Error{Fault: "cgo is off, which XLA needs", Remedy: "unset CGO_ENABLED, and have a C compiler (apt install gcc libc6-dev)"}
	}
	return nil
}

// goCommand runs the go command in root. The error holds the first lines of its output.
func goCommand(ctx context.Context, root string, arguments ...string) error {
	var output bytes.Buffer
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = root
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text := strings.TrimSpace(output.String())
	hint := ""
	if strings.Contains(text, "dial tcp") || strings.Contains(text, "lookup ") || strings.Contains(text, "GOPROXY=off") {
		hint = " (no connection to a Go module proxy: check the network and GOPROXY)"
	}
	return fmt.Errorf("go %s: %w%s\n%s", arguments[0], err, hint, head(text, 15))
}

// step does the work, with lines in log at its beginning and, with the time, at its end.
func step(log io.Writer, what string, work func() error) error {
	fmt.Fprintf(log, "%s ...\n", what)
	begin := time.Now()
	err := work()
	if elapsed := time.Since(begin); err == nil && elapsed > 2*time.Second {
		fmt.Fprintf(log, "  done in %s: %s\n", round(elapsed), what)
	}
	return err
}

// head returns the first n lines of text.
func head(text string, n int) string {
	lines := strings.SplitN(text, "\n", n+1)
	if len(lines) > n {
		lines[n] = "..."
	}
	return strings.Join(lines, "\n")
}
