// Package device opens the backend that runs the graphs: it finds or installs XLA's PJRT plugin,
// checks that its file is intact and that it computes correctly, and describes it.
//
// [Open] does to the process what its [Options] say and nothing else; the zero value changes
// nothing. The commands and the notebooks' kernel use the options of [FromEnvironment], which alone
// reads the user's environment variables:
//
//	field         effect on the process            FromEnvironment         changed by
//	Backend       -                                empty: the best         GOMLX_BACKEND
//	Plugin        -                                empty: the pinned one   FFSLAB_PJRT_PLUGIN
//	PluginDirs    -                                none                    PJRT_PLUGIN_LIBRARY_PATH
//	LargePages    Start restarts the program with  true                    glibc.malloc.hugetlb=0
//	              glibc.malloc.hugetlb=1                                   in GLIBC_TUNABLES
//	TrimMemory    a goroutine returns freed memory true                    -
//	              to the system
//	KeepPrograms  keeps compiled programs in the   true; false if the user FFSLAB_COMPILED=off
//	              cache folder, at most 1 GiB,     sets flags of XLA
//	              for later processes
//	TuneXLA       adds flags to XLA_FLAGS          true                    XLA_FLAGS naming it
//	FullPrecision sets NVIDIA_TF32_OVERRIDE=0      true                    NVIDIA_TF32_OVERRIDE
//
// An empty Backend means xla:cuda if there are a GPU and its plugin, else xla:cpu. GoMLX's backend
// in pure Go, which lacks operations of detectors, is opened only by its name.
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
	// Backend is a GoMLX configuration: "xla:cpu", "xla:cuda", "xla:/path/to/plugin.so", "go";
	// options of the XLA backend may follow after commas ("xla:cuda,memory_fraction=0.5"). Empty:
	// see the package's comment.
	Backend string
	// Plugin is the path of a PJRT plugin for CPUs; empty means the pinned one.
	Plugin string
	// PluginDirs are folders that are searched first for a CUDA plugin.
	PluginDirs []string

	// LargePages asks Start for memory in large pages. Open ignores it.
	LargePages bool
	// TrimMemory returns freed memory to the system, from the first Open with it to the end of the
	// process.
	TrimMemory bool
	// KeepPrograms reads and writes compiled programs in the cache folder (Linux; CPUs and NVIDIA's
	// GPUs). The first Open of a plugin for CPUs, and of one for GPUs, decides for the process.
	KeepPrograms bool
	// TuneXLA adds flags that were measured to be faster to the environment variable XLA_FLAGS,
	// unless it sets them.
	TuneXLA bool
	// FullPrecision multiplies in float32 on NVIDIA's GPUs, not in TF32, which rounds factors to 10
	// bits, unless Backend asks for it ("xla:cuda,tf32=true"). For cuDNN, it sets the environment
	// variable NVIDIA_TF32_OVERRIDE, unless it is set.
	FullPrecision bool

	// Log receives warnings and the progress of installations; nil means standard error.
	Log io.Writer
	// NoInstall makes an absent or damaged plugin an error (ErrNotInstalled, ErrDamaged) instead of
	// installing it.
	NoInstall bool
	// Context ends an installation; nil means context.Background().
	Context context.Context
}

// ErrNotInstalled is wrapped by the error for a missing plugin if Options.NoInstall is set.
var ErrNotInstalled = errors.New("not installed yet")

// Open opens a backend. It installs the CPU plugin if that is needed and absent or damaged. The
// error names the backend or plugin, the cause and the remedy. It wraps ErrWrongResult for a plugin
// that fails the self-check, and ErrDamaged for a damaged one that cannot be replaced.
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

// pluginPath returns the file of the plugin that a configuration names.
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

// openPlugin opens the XLA backend with a plugin file and checks its results.
func openPlugin(path, extra string, options Options) (compute.Backend, error) {
	if err := intact(path); err != nil {
		return nil, fmt.Errorf("PJRT plugin: %w", err)
	}
	if strings.Contains(path, ",") {
		return nil, fmt.Errorf("PJRT plugin %s: the XLA backend ends a plugin's path at a comma: move the plugin, or set FFSLAB_CACHE to a folder without one", path)
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
		return nil, fmt.Errorf("PJRT plugin %s is refused: %w; set %s to another one", path, err, PluginEnv)
	}
	return backend, nil
}

// firstLine removes the stack trace and the explanations from a library's error.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
