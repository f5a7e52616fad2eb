package device

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// Without a plugin and without a way to one there is no backend, and the error holds the first
// cause and what to do about it.
func TestNoPluginIsAnErrorWithItsCause(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the pinned plugin is of linux/amd64")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("GOPROXY", "off")
	for _, unreachable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} { // go-xla's installer must not find a network either
		t.Setenv(unreachable, "http://127.0.0.1:9")
	}
	for _, test := range []struct{ name, variable, value, cause string }{
		{"no Python", python.PathEnv, filepath.Join(home, "none"), "no Python 3"},
		{"no folder", cache.DirEnv, "/dev/null/cache", "set " + cache.DirEnv + " to a writable folder"},
		{"no home", "HOME", "", "set HOME, or " + cache.DirEnv},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(cache.DirEnv, filepath.Join(home, "cache"))
			if test.variable == "HOME" {
				t.Setenv(cache.DirEnv, "")
			}
			t.Setenv(test.variable, test.value)
			backend, err := Open(Options{Backend: "xla:cpu", Log: io.Discard})
			if err == nil {
				t.Fatalf("opened %+v", Describe(backend))
			}
			for _, want := range []string{"no XLA plugin for the CPU", test.cause, PluginEnv} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

// Without a network the answer comes from pip alone, and soon where pip is told to try again once.
func TestNoNetworkIsTheCause(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the pinned plugin is of linux/amd64")
	}
	t.Setenv(cache.DirEnv, t.TempDir())
	t.Setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_RETRIES", "1")
	t.Setenv("PIP_NO_CACHE_DIR", "1")
	_, err := Open(Options{Backend: "xla:cpu", Log: io.Discard})
	if !errors.Is(err, python.ErrNoConnection) || !strings.Contains(err.Error(), "check the network") {
		t.Errorf("error %v, want that pip has no connection", err)
	}
}
