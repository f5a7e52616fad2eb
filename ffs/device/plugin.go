package device

import (
	"archive/zip"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/gomlx/go-xla/installer"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// The CPU plugin of linux/amd64: a wheel by the OpenXLA authors, pinned because a newer plugin was seen to compute
// atan wrongly.
const (
	wheelPackage = "xla-cpu-pjrt"
	wheelVersion = "0.0.1"
	wheelFile    = "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl"
	wheelSHA256  = "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc"
	wheelFolder  = wheelPackage + "-" + wheelVersion // in the cache
	wheelMember  = "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"
)

// isPinned reports whether the plugin is that of the pinned wheel. Others may not know a flag that this one knows, and XLA ends the process for such a flag.
func isPinned(plugin string) bool {
	return filepath.Base(filepath.Dir(plugin)) == wheelFolder && filepath.Base(plugin) == filepath.Base(wheelMember)
}

// cpuPlugin returns the path of the CPU plugin, which it installs into the user's cache first if it is absent or damaged: from
// the pinned wheel on linux/amd64, else, or where that fails, by go-xla's own installer. Its error holds the cause of the
// first failure, which is the one to mend.
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
	return fmt.Errorf("no XLA plugin for the CPU, without which no detector runs: %w; or name another machine's plugin in %s", cause, PluginEnv)
}

// installWheel downloads the pinned wheel with pip, verifies it and unpacks its library, once, and again if the library was
// damaged since.
func installWheel(options Options) (string, error) {
	// XLA's zero-copy buffers are on only if the plugin's path contains "cpu", as this one does.
	dir, err := cache.Dir("pjrt", wheelFolder)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(wheelMember))
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
		interpreter, err := python.Find(options.Context)
		if err != nil {
			return err
		}
		fmt.Fprintf(options.Log, "installing the XLA plugin for the CPU, %s %s (61 MB), into %s\n", wheelPackage, wheelVersion, dir)
		download := filepath.Join(temporary, "download")
		if err := os.Mkdir(download, 0o755); err != nil {
			return err
		}
		if err := interpreter.Download(options.Context, download, wheelPackage+"=="+wheelVersion, wheelSHA256); err != nil {
			return err
		}
		if err := unpack(filepath.Join(download, wheelFile), wheelSHA256, wheelMember, temporary); err != nil {
			return err
		}
		return os.RemoveAll(download)
	})
}

// unpack extracts one member of a zip file with the given SHA-256 (in hexadecimal) into the folder dir.
func unpack(archive, wantSHA256, member, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, file)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != wantSHA256 {
		return fmt.Errorf("%s has SHA-256 %s, not the pinned %s: it is damaged or not the same file", filepath.Base(archive), got, wantSHA256)
	}
	reader, err := zip.NewReader(file, size)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	source, err := reader.Open(member)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer source.Close()
	target, err := os.OpenFile(filepath.Join(dir, filepath.Base(member)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// installGoXLA runs go-xla's installer, which does nothing if its plugin is there.
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

// cudaPlugin returns the path of the CUDA plugin: in one of the folders, or where go-xla installs it.
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
	return "", errors.New("no CUDA plugin is installed: install go-xla's (its README, section CUDA), or name the folder jax_plugins/xla_cuda13 of a Python environment with jax[cuda13] in PJRT_PLUGIN_LIBRARY_PATH")
}

func goXLADir() (string, error) {
	lib, err := installer.DefaultHomeLibPath()
	return filepath.Join(lib, "go-xla"), err
}

// newest returns the last file in the order of names that matches pattern.
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
