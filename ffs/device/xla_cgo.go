//go:build cgo

package device

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// cgoMissing returns an error if this build has no XLA.
func cgoMissing() error { return nil }

// newXLA opens GoMLX's XLA backend. config lacks the prefix "xla:".
func newXLA(config string, options Options) (compute.Backend, error) {
	xla.EnableAutoInstall(false) // plugins are chosen, pinned and installed by this package
	plugin, _, _ := strings.Cut(config, ",")
	cuda := pjrt.IsCUDAName(config)
	if cuda && options.FullPrecision {
		config = fullPrecision(config)
	}
	if options.TuneXLA {
		switch {
		case cuda:
			setFlag(noTritonProducts)
		case isPinned(plugin):
			setFlag(noXNNPACK)
		}
	}
	if options.KeepPrograms {
		keepPrograms(plugin)
	}
	if options.TrimMemory {
		trimAlways()
	}
	return xla.New(config)
}

// fullPrecision turns off TF32, go-xla's default for CUDA, unless the configuration asks for it.
// go-xla's option is for matrix products alone; cuDNN reads the environment variable at its first
// use.
func fullPrecision(config string) string {
	named := false
	for _, option := range strings.Split(config, ",")[1:] {
		switch key, value, _ := strings.Cut(option, "="); key {
		case "tf32":
			if on, err := strconv.ParseBool(cmp.Or(value, "true")); on || err != nil {
				return config // TF32, or an error that go-xla reports
			}
			named = true
		case "notf32":
			named = true
		}
	}
	if _, set := os.LookupEnv(tf32Env); !set {
		os.Setenv(tf32Env, "0")
	}
	if named {
		return config
	}
	return config + ",tf32=false"
}

// setFlag adds a flag with its value to XLA_FLAGS unless it is set there.
func setFlag(flag string) {
	name, _, _ := strings.Cut(flag, "=")
	if flags := os.Getenv(xlaFlagsEnv); !strings.Contains(flags, name) {
		os.Setenv(xlaFlagsEnv, strings.TrimSpace(flags+" "+flag))
	}
}

// describeXLA completes the description of an XLA backend.
func describeXLA(backend compute.Backend, description *Description) {
	opened, ok := backend.(*xla.Backend)
	if !ok {
		return
	}
	description.Backend = xla.BackendName
	description.Plugin = opened.PluginName()
	description.XLAFlags = os.Getenv(xlaFlagsEnv)
	if opened.IsCUDA() {
		description.Platform = "cuda"
	}
	if plugin, err := pjrt.GetPlugin(opened.PluginName()); err == nil {
		major, minor := plugin.Version()
		description.PluginVersion = fmt.Sprintf("%d.%d", major, minor)
	}
}
