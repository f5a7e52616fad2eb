package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"ffslab/data"
	_ "ffslab/data/digits" // for the check of the data
	"ffslab/ffs/device"
	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
	"ffslab/ffs/internal/remedy"
)

// Status is the outcome of a check.
type Status string

// A Warning is for what is slow or will be installed by the first command that needs it. A Failure
// requires action by the user.
const (
	OK      Status = "ok"
	Warning Status = "warn"
	Failure Status = "fail"
)

// Check is the check of one requirement.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`           // what was found
	Remedy string `json:"remedy,omitempty"` // what to do; empty if ok
}

// lazily is the remedy for what commands install.
const lazily = `nothing: "go run ./ffs notebooks" or "lab" installs it, which needs a network`

// Doctor checks everything that the commands and notebooks need, with the given backend. It
// installs nothing.
func Doctor(ctx context.Context, backend device.Options) []Check {
	checks := []Check{checkGo(ctx), checkC(ctx), checkPython(ctx), checkBackend(ctx, backend)}
	if root, err := FindRoot(); err != nil {
		checks = append(checks, Check{"repository", Failure, err.Error(), "run ffs inside a clone"})
	} else {
		checks = append(checks, checkSpec(root), checkTools(root))
	}
	return append(checks, checkJupyter(ctx), checkData(), checkSpace())
}

// failed returns the Failure of an error, with its remedy if it has one.
func failed(name string, err error) Check {
	var known *remedy.Error
	if errors.As(err, &known) {
		return Check{name, Failure, known.Fault, known.Remedy}
	}
	return Check{Name: name, Status: Failure, Detail: err.Error()}
}

func checkGo(ctx context.Context) Check {
	const name = "Go"
	out, err := exec.CommandContext(ctx, "go", "version").Output()
	if err != nil {
		return Check{name, Failure, "the go command does not start: " + err.Error(), "install Go and put it on PATH: notebook cells are compiled"}
	}
	return Check{name, OK, strings.TrimPrefix(strings.TrimSpace(string(out)), "go version "), ""}
}

func checkC(ctx context.Context) Check {
	const name = "C compiler"
	if err := checkCompiler(ctx); err != nil {
		return failed(name, err)
	}
	out, _ := exec.CommandContext(ctx, "go", "env", "CC").Output()
	return Check{name, OK, strings.TrimSpace(string(out)), ""}
}

func checkPython(ctx context.Context) Check {
	const name = "Python"
	interpreter, err := python.Find(ctx)
	if err != nil {
		return failed(name, err)
	}
	if err := interpreter.CheckVenv(ctx); err != nil {
		return failed(name, err)
	}
	return Check{name, OK, interpreter.Version + " at " + interpreter.Path, ""}
}

func checkBackend(ctx context.Context, backend device.Options) Check {
	const name = "backend"
	backend.Log, backend.NoInstall, backend.Context = io.Discard, true, ctx
	opened, err := device.Open(backend)
	switch {
	case errors.Is(err, device.ErrDamaged):
		return Check{name, Failure, err.Error(), `any command that computes installs the pinned plugin anew, which needs a network; another one must be replaced`}
	case errors.Is(err, device.ErrNotInstalled):
		return Check{name, Warning, err.Error(), lazily}
	case err != nil:
		return Check{name, Failure, err.Error(), "set " + device.PluginEnv + " to another plugin"}
	}
	defer opened.Finalize()
	d := device.Describe(opened)
	if d.Backend == "go" {
		return Check{name, Failure, "GoMLX's pure Go backend, which cannot run detectors", "use --backend xla:cpu, or leave it and GOMLX_BACKEND out"}
	}
	detail := fmt.Sprintf("xla:%s, plugin %s (PJRT %s) passed the self-check; devices: %s", d.Platform, d.Plugin, d.PluginVersion, strings.Join(d.Devices, ", "))
	if d.XLAFlags != "" {
		detail += "; XLA_FLAGS=" + d.XLAFlags
	}
	return Check{name, OK, detail, ""}
}

func checkSpec(root string) Check {
	const name = "kernel"
	if err := checkKernel(root); err != nil {
		return failed(name, err)
	}
	return Check{name, OK, filepath.Join(root, "notebooks", "kernels", kernelName), ""}
}

func checkTools(root string) Check {
	const name = "Go kernel's tools"
	dir, err := toolsDir(root)
	if err != nil {
		return Check{name, Failure, err.Error(), "restore go.mod and go.sum"}
	}
	if _, err := os.Stat(dir); err != nil {
		return Check{name, Warning, "gonb and goimports are not built yet", lazily}
	}
	return Check{name, OK, "gonb and goimports in " + dir, ""}
}

func checkJupyter(ctx context.Context) Check {
	const name = "Jupyter"
	interpreter, err := python.Find(ctx)
	if err != nil {
		return Check{name, Warning, "no environment without Python", "see Python"}
	}
	var there []string
	for _, kind := range []string{"headless", "lab"} {
		dir, err := pythonDir(kind, interpreter.Version)
		if err != nil {
			return Check{name, Failure, err.Error(), "set HOME or " + cache.DirEnv}
		}
		if _, err := os.Stat(dir); err == nil {
			there = append(there, fmt.Sprintf("for %s in %s", kind, dir))
		}
	}
	if len(there) == 0 {
		return Check{name, Warning, "no environment yet", lazily}
	}
	return Check{name, OK, strings.Join(there, ", "), ""}
}

func checkData() Check {
	const name = "digits data"
	set, err := data.Open("digits:val?n=2", data.Options{})
	if err == nil {
		_, err = set.Images[0].Decode()
	}
	if err != nil {
		return Check{name, Failure, err.Error(), "restore data/digits from the repository"}
	}
	return Check{name, OK, "embedded", ""}
}

func checkSpace() Check {
	const name = "disk space"
	const enough = 3 << 30 // plugin, environment, Go's build cache
	dir, err := cache.Dir()
	if err != nil {
		return Check{name, Failure, err.Error(), "set HOME or " + cache.DirEnv}
	}
	existing := dir
	for existing != filepath.Dir(existing) {
		if _, err := os.Stat(existing); err == nil {
			break
		}
		existing = filepath.Dir(existing)
	}
	free, err := freeBytes(existing)
	if err != nil {
		return Check{name, Warning, "unknown: " + err.Error(), "have 3 GB free"}
	}
	detail := fmt.Sprintf("%.1f GB free for %s", float64(free)/1e9, dir)
	if free < enough {
		return Check{name, Warning, detail, "free 3 GB, or set " + cache.DirEnv + " to another disk"}
	}
	return Check{name, OK, detail, ""}
}
