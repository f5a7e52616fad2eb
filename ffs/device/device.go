// Package device opens the backend that everything runs on: it finds or installs the PJRT plugin of XLA, checks that the
// plugin computes correctly, and says what it opened.
//
// The choice, in order: Options.Backend, the environment variable GOMLX_BACKEND, xla:cuda where a GPU and its plugin
// are present, xla:cpu, and, with a warning, GoMLX's backend in pure Go.
package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go"
	"github.com/gomlx/go-xla/installer"
)

// PluginEnv names the environment variable with the path of the PJRT plugin file to use instead of ours.
const PluginEnv = "FFSLAB_PJRT_PLUGIN"

// xlaFlagsEnv holds the flags for XLA: the user's, and ours.
const xlaFlagsEnv = "XLA_FLAGS"

// KeepEnv names the environment variable that, set to "off", makes a process compile all its programs itself.
const KeepEnv = "FFSLAB_COMPILED"

// Options says which backend to open; the zero value lets Open choose.
type Options struct {
	// Backend is a GoMLX configuration: "xla:cpu", "xla:cuda", "xla:/path/to/plugin.so", "go"; options of the XLA
	// backend may follow after commas ("xla:cuda,memory_fraction=0.5"). Empty: see the package's comment.
	Backend string
	// Log receives warnings and the progress of installations; nil stands for standard error.
	Log io.Writer
	// NoInstall makes an absent plugin an error (ErrNotInstalled) instead of installing it.
	NoInstall bool
	// Context ends an installation; nil stands for context.Background().
	Context context.Context
}

// ErrNotInstalled is wrapped by the error of a plugin that Options.NoInstall kept from being installed.
var ErrNotInstalled = errors.New("not installed yet")

// Open returns the backend, ready for use. It installs the CPU plugin when that is needed and absent. The error names
// the backend or plugin at fault and the remedy; a plugin that fails the self-check is refused with an error that wraps
// ErrWrongResult.
func Open(options Options) (compute.Backend, error) {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	if options.Context == nil {
		options.Context = context.Background()
	}
	config := options.Backend
	if config == "" {
		config = os.Getenv(compute.ConfigEnvVar)
	}
	name, plugin, _ := strings.Cut(config, ":")
	plugin, extra, _ := strings.Cut(plugin, ",")
	switch {
	case config == "":
		return openDefault(options)
	case name == "go":
		warnSlow(options.Log, "it was asked for")
		return compute.NewWithConfig(config)
	case name != "xla":
		return nil, fmt.Errorf("unknown backend %q: choose xla:cpu, xla:cuda, xla:/path/to/plugin.so or go", config)
	}
	path, err := pluginPath(plugin, options)
	if err != nil {
		return nil, err
	}
	return openPlugin(path, extra)
}

// openDefault opens the best backend of this machine.
func openDefault(options Options) (compute.Backend, error) {
	if os.Getenv(PluginEnv) == "" && cgoMissing() == nil && installer.HasNvidiaGPU() {
		path, err := cudaPlugin()
		if err == nil {
			var backend compute.Backend
			if backend, err = openPlugin(path, ""); err == nil {
				return backend, nil
			}
			if errors.Is(err, ErrWrongResult) {
				return nil, err
			}
		}
		fmt.Fprintf(options.Log, "warning: this machine's GPU stays unused: %v\n", err)
	}
	path, err := pluginPath("", options)
	if err == nil {
		var backend compute.Backend
		if backend, err = openPlugin(path, ""); err == nil || errors.Is(err, ErrWrongResult) || os.Getenv(PluginEnv) != "" {
			return backend, err
		}
	}
	if errors.Is(err, ErrNotInstalled) || options.Context.Err() != nil {
		return nil, err
	}
	warnSlow(options.Log, err.Error())
	return compute.NewWithConfig("go")
}

// pluginPath turns the plugin's name in a configuration into its file.
func pluginPath(name string, options Options) (string, error) {
	if err := cgoMissing(); err != nil {
		return "", err
	}
	switch override := os.Getenv(PluginEnv); {
	case filepath.IsAbs(name):
		return name, nil
	case name == "cuda":
		return cudaPlugin()
	case name != "" && name != "cpu":
		return "", fmt.Errorf("unknown XLA plugin %q: choose xla:cpu, xla:cuda or xla: and an absolute path", name)
	case override != "":
		path, err := filepath.Abs(override)
		if err != nil {
			return "", fmt.Errorf("%s: %w", PluginEnv, err)
		}
		return path, nil
	}
	return cpuPlugin(options)
}

// openPlugin opens the XLA backend on a plugin file and checks its results.
func openPlugin(path, extra string) (compute.Backend, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("PJRT plugin: %w", err)
	}
	if strings.Contains(path, ",") {
		return nil, fmt.Errorf("PJRT plugin %s: a comma in a plugin's path ends it for the XLA backend: move it, or set FFSLAB_CACHE to a folder without one", path)
	}
	config := path
	if extra != "" {
		config += "," + extra
	}
	backend, err := newXLA(config)
	if err != nil {
		return nil, fmt.Errorf("PJRT plugin %s does not open: %w", path, firstLine(err))
	}
	if err := verify(backend, path); err != nil {
		backend.Finalize()
		return nil, fmt.Errorf("PJRT plugin %s is refused: %w: name another one in %s, or use --backend go", path, err, PluginEnv)
	}
	return backend, nil
}

func warnSlow(log io.Writer, reason string) {
	fmt.Fprintf(log, `
*** warning: running on GoMLX's backend in pure Go, about 30 times slower than XLA.
*** reason: %s
*** "go run ./ffs doctor" shows what is missing.

`, reason)
}

// firstLine cuts the stack trace and the explanations off a library's error.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
