// Package device opens the backend that everything runs on: it finds or installs the PJRT plugin of XLA, checks that the
// plugin is whole and computes correctly, and says what it opened.
//
// [Open] does to the process what its [Options] say and nothing else; the zero value changes nothing. [FromEnvironment] is
// what the commands and the notebooks' kernel use, and the only place that reads the user's environment variables:
//
//	field           what it does to the process              FromEnvironment                what the user sets to change that
//	Backend         -                                        empty: the best there is       GOMLX_BACKEND
//	Plugin          -                                        empty: the pinned one          FFSLAB_PJRT_PLUGIN
//	PluginDirs      -                                        none more                      PJRT_PLUGIN_LIBRARY_PATH
//	LargePages      Start runs the program anew with         true                           GLIBC_TUNABLES with
//	                GLIBC_TUNABLES=glibc.malloc.hugetlb=1                                   glibc.malloc.hugetlb=0
//	TrimMemory      a goroutine that gives freed memory      true                           -
//	                back to the system
//	KeepPrograms    compiled programs are kept in the        true; false where the user     FFSLAB_COMPILED=off
//	                cache folder, 1 GiB at most, for         sets flags of XLA
//	                later processes
//	TuneXLA         adds flags to XLA_FLAGS                  true                           XLA_FLAGS with that flag
//	FullPrecision   sets NVIDIA_TF32_OVERRIDE=0              true                           NVIDIA_TF32_OVERRIDE
//
// An empty Backend is xla:cuda where a GPU and its plugin are present, else xla:cpu. GoMLX's backend in pure Go, which
// cannot run a detector (it lacks operations), is opened only by its name.
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

// Options says which backend to open, and what that may do to the process. See the package's table.
type Options struct {
	// Backend is a GoMLX configuration: "xla:cpu", "xla:cuda", "xla:/path/to/plugin.so", "go"; options of the XLA
	// backend may follow after commas ("xla:cuda,memory_fraction=0.5"). Empty: see the package's comment.
	Backend string
	// Plugin is the path of the PJRT plugin for CPUs to use instead of the pinned one; empty: that one.
	Plugin string
	// PluginDirs are folders in which a CUDA plugin is looked for first.
	PluginDirs []string

	// LargePages asks Start for memory in large pages. Open ignores it.
	LargePages bool
	// TrimMemory has freed memory given back to the system, from the first Open that asks for it to the end of the process.
	TrimMemory bool
	// KeepPrograms takes compiled programs from the cache folder and leaves them there (Linux, CPU
	// and NVIDIA's GPUs). The first Open of a plugin for CPUs, and of one for GPUs, decides for the
	// process.
	KeepPrograms bool
	// TuneXLA adds to the environment variable XLA_FLAGS the flags that were measured to be better, unless it speaks of them.
	TuneXLA bool
	// FullPrecision computes products in full float32 on NVIDIA's GPUs, whose TF32 rounds factors to 10 bits, unless Backend
	// asks for TF32 ("xla:cuda,tf32=true"). cuDNN is told by the environment variable NVIDIA_TF32_OVERRIDE, unless it is set.
	FullPrecision bool

	// Log receives warnings and the progress of installations; nil stands for standard error.
	Log io.Writer
	// NoInstall makes an absent or damaged plugin an error (ErrNotInstalled, ErrDamaged) instead of installing it.
	NoInstall bool
	// Context ends an installation; nil stands for context.Background().
	Context context.Context
}

// ErrNotInstalled is wrapped by the error of a plugin that Options.NoInstall kept from being installed.
var ErrNotInstalled = errors.New("not installed yet")

// Open returns the backend, ready for use. It installs the CPU plugin when that is needed and absent or damaged. The error
// names the backend or plugin at fault, the cause and the remedy; a plugin that fails the self-check is refused with an
// error that wraps ErrWrongResult, a damaged one that cannot be replaced with one that wraps ErrDamaged.
func Open(options Options) (compute.Backend, error) {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	if options.Context == nil {
		options.Context = context.Background()
	}
	name, plugin, _ := strings.Cut(options.Backend, ":")
	plugin, extra, _ := strings.Cut(plugin, ",")
	switch {
	case options.Backend == "":
		return openDefault(options)
	case name == "go":
		fmt.Fprintln(options.Log, "warning: GoMLX's backend in pure Go is about 30 times slower than XLA and cannot run detectors")
		return compute.NewWithConfig(options.Backend)
	case name != "xla":
		return nil, fmt.Errorf("unknown backend %q: choose xla:cpu, xla:cuda, xla:/path/to/plugin.so or go", options.Backend)
	}
	path, err := pluginPath(plugin, options)
	if err != nil {
		return nil, err
	}
	return openPlugin(path, extra, options)
}

// openDefault opens the best backend of this machine.
func openDefault(options Options) (compute.Backend, error) {
	if options.Plugin == "" && cgoMissing() == nil && installer.HasNvidiaGPU() {
		path, err := cudaPlugin(options.PluginDirs)
		if err == nil {
			var backend compute.Backend
			if backend, err = openPlugin(path, "", options); err == nil {
				return backend, nil
			}
			if errors.Is(err, ErrWrongResult) {
				return nil, err
			}
		}
		fmt.Fprintf(options.Log, "warning: this machine's GPU stays unused: %v\n", err)
	}
	path, err := pluginPath("", options)
	if err != nil {
		return nil, err
	}
	return openPlugin(path, "", options)
}

// pluginPath turns the plugin's name in a configuration into its file.
func pluginPath(name string, options Options) (string, error) {
	if err := cgoMissing(); err != nil {
		return "", err
	}
	switch {
	case filepath.IsAbs(name):
		return name, nil
	case name == "cuda":
		return cudaPlugin(options.PluginDirs)
	case name != "" && name != "cpu":
		return "", fmt.Errorf("unknown XLA plugin %q: choose xla:cpu, xla:cuda or xla: and an absolute path", name)
	case options.Plugin != "":
		path, err := filepath.Abs(options.Plugin)
		if err != nil {
			return "", fmt.Errorf("%s: %w", PluginEnv, err)
		}
		return path, nil
	}
	return cpuPlugin(options)
}

// openPlugin opens the XLA backend on a plugin file and checks its results.
func openPlugin(path, extra string, options Options) (compute.Backend, error) {
	if err := intact(path); err != nil {
		return nil, fmt.Errorf("PJRT plugin: %w", err)
	}
	if strings.Contains(path, ",") {
		return nil, fmt.Errorf("PJRT plugin %s: a comma in a plugin's path ends it for the XLA backend: move it, or set FFSLAB_CACHE to a folder without one", path)
	}
	config := path
	if extra != "" {
		config += "," + extra
	}
	backend, err := newXLA(config, options)
	if err != nil {
		return nil, fmt.Errorf("PJRT plugin %s does not open: %w", path, firstLine(err))
	}
	if err := verify(backend, path); err != nil {
		backend.Finalize()
		return nil, fmt.Errorf("PJRT plugin %s is refused: %w: name another one in %s", path, err, PluginEnv)
	}
	return backend, nil
}

// firstLine cuts the stack trace and the explanations off a library's error.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
