//go:build cgo

package device

import (
	"fmt"
	"os"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// cgoMissing is the reason why there is no XLA at all.
func cgoMissing() error { return nil }

// newXLA opens GoMLX's XLA backend by its configuration without the prefix "xla:".
func newXLA(config string) (compute.Backend, error) {
	xla.EnableAutoInstall(false) // plugins are chosen, pinned and installed by this package
	return xla.New(config)
}

// describeXLA completes the description if the backend is XLA's.
func describeXLA(backend compute.Backend, description *Description) {
	opened, ok := backend.(*xla.Backend)
	if !ok {
		return
	}
	description.Backend = xla.BackendName
	description.Plugin = opened.PluginName()
	description.XLAFlags = os.Getenv("XLA_FLAGS")
	if opened.IsCUDA() {
		description.Platform = "cuda"
	}
	if plugin, err := pjrt.GetPlugin(opened.PluginName()); err == nil {
		major, minor := plugin.Version()
		description.PluginVersion = fmt.Sprintf("%d.%d", major, minor)
	}
}
