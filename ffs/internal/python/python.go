// Package python finds a Python interpreter, creates environments and fetches packages with pip.
// Its errors tell a user who has just cloned the repository what is missing and what to install.
package python

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"ffslab/ffs/internal/remedy"
)

// PathEnv is the environment variable that sets the interpreter.
const PathEnv = "FFSLAB_PYTHON"

// minMinor is the oldest Python 3 that the pinned Jupyter packages support.
const minMinor = 10

// Interpreter is a Python interpreter.
type Interpreter struct {
	Path    string // as found on PATH, or in an environment
	Version string // such as "3.11.7"
}

// Find returns the interpreter that $FFSLAB_PYTHON names, or else the first of python3 and python
// on PATH that is new enough. If there is none, the error says how to install it.
func Find(ctx context.Context) (Interpreter, error) {
	candidates := []string{"python3", "python"}
	if chosen := os.Getenv(PathEnv); chosen != "" {
		candidates = []string{chosen}
	}
	found := "none was found"
	for _, candidate := range candidates {
		path, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		const probe = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
		out, err := exec.CommandContext(ctx, path, "-c", probe).Output()
		if err != nil {
			found = fmt.Sprintf("%s does not start: %v", path, err)
			continue
		}
		version := strings.TrimSpace(string(out))
		var major, minor int
		if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err == nil && major == 3 && minor >= minMinor {
			return Interpreter{Path: path, Version: version}, nil
		}
		found = fmt.Sprintf("%s is Python %s", path, version)
	}
	return Interpreter{}, &remedy.Error{
		Fault:  fmt.Sprintf("no Python 3.%d or newer (%s)", minMinor, found),
		Remedy: installHint("python3 python3-venv", "python") + ", or set " + PathEnv + " to one",
	}
}

// Venv creates a virtual environment with pip at dir and returns its interpreter.
func (p Interpreter) Venv(ctx context.Context, dir string) (Interpreter, error) {
	if output, err := run(ctx, p.Path, "-m", "venv", dir); err != nil {
		if strings.Contains(output, "ensurepip") || strings.Contains(output, "No module named venv") {
			return Interpreter{}, noVenv(p.Path)
		}
		return Interpreter{}, fmt.Errorf("%s -m venv %s: %w: %s", p.Path, dir, err, lastLine(output))
	}
	return InVenv(dir, p.Version), nil
}

// CheckVenv returns an error if Venv would lack its modules, which Debian packages separately.
func (p Interpreter) CheckVenv(ctx context.Context) error {
	if _, err := run(ctx, p.Path, "-c", "import venv, ensurepip"); err != nil {
		return noVenv(p.Path)
	}
	return nil
}

func noVenv(path string) error {
	return &remedy.Error{Fault: path + " has no complete venv module", Remedy: installHint("python3-venv", "python")}
}

// InVenv returns the interpreter of the environment that Venv created at dir.
func InVenv(dir, version string) Interpreter {
	if runtime.GOOS == "windows" {
		return Interpreter{Path: filepath.Join(dir, "Scripts", "python.exe"), Version: version}
	}
	return Interpreter{Path: filepath.Join(dir, "bin", "python"), Version: version}
}

// Pip runs pip with the given command. It uses the user's pip settings (mirrors, proxies,
// certificates).
func (p Interpreter) Pip(ctx context.Context, command string, arguments ...string) error {
	arguments = append([]string{"-m", "pip", "--disable-pip-version-check", "--no-input", command}, arguments...)
	output, err := run(ctx, p.Path, arguments...)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if strings.Contains(output, "No module named pip") {
		return errNoPip
	}
	for _, sign := range []string{"NewConnectionError", "name resolution", "ConnectTimeout", "ProxyError", "Connection refused", "ReadTimeoutError"} {
		if strings.Contains(output, sign) {
			return ErrNoConnection
		}
	}
	return fmt.Errorf("pip %s: %w: %s", command, err, lastLine(output))
}

// ErrNoConnection is returned if pip cannot reach its package index.
var ErrNoConnection error = &remedy.Error{
	Fault:  "pip has no connection to its package index",
	Remedy: "check the network, or pip's proxy and mirror settings (pip config list)",
}

var errNoPip error = &remedy.Error{Fault: "this Python has no pip", Remedy: installHint("python3-pip", "python")}

// Download fetches a pinned package, without its dependencies, into dir; pip verifies its SHA-256.
// If the interpreter has no pip, as on Debian, it uses one in a temporary environment.
func (p Interpreter) Download(ctx context.Context, dir, requirement, sha256 string) error {
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, fmt.Appendf(nil, "%s --hash=sha256:%s\n", requirement, sha256), 0o644); err != nil {
		return err
	}
	arguments := []string{"--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet", "--dest", dir, "--requirement", list}
	err := p.Pip(ctx, "download", arguments...)
	if !errors.Is(err, errNoPip) {
		return err
	}
	borrowed, err := p.Venv(ctx, filepath.Join(dir, "pip"))
	if err != nil {
		return err
	}
	return borrowed.Pip(ctx, "download", arguments...)
}

// run returns both outputs of the command.
func run(ctx context.Context, path string, arguments ...string) (string, error) {
	var output bytes.Buffer
	command := exec.CommandContext(ctx, path, arguments...)
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	return output.String(), err
}

// lastLine returns the last line of the output that says ERROR, or else its last line.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if text, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), "ERROR: "); ok {
			return text
		}
	}
	return lines[len(lines)-1]
}

// installHint returns the command to install a package on this operating system.
func installHint(debian, brew string) string {
	switch runtime.GOOS {
	case "darwin":
		return "brew install " + brew
	case "linux":
		return "apt install " + debian + " (or your distribution's equivalent)"
	}
	return "install it from python.org"
}
