package device

import (
	"fmt"
	"os"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// Description says what a backend runs on.
type Description struct {
	Backend       string   `json:"backend"`                  // "xla" or "go"
	Platform      string   `json:"platform"`                 // "cpu" or "cuda"
	Devices       []string `json:"devices"`                  // one description a device
	Plugin        string   `json:"plugin,omitempty"`         // the plugin's file, empty for "go"
	PluginVersion string   `json:"plugin_version,omitempty"` // the version of its PJRT API, such as "0.81"
	XLAFlags      string   `json:"xla_flags,omitempty"`      // the environment variable XLA_FLAGS
}

// Describe returns the description of an open backend.
func Describe(backend compute.Backend) Description {
	description := Description{Backend: "go", Platform: "cpu"}
	for i := range backend.NumDevices() {
		description.Devices = append(description.Devices, backend.DeviceDescription(compute.DeviceNum(i)))
	}
	if backend, ok := backend.(*xla.Backend); ok {
		description.Backend = xla.BackendName
		description.Plugin = backend.PluginName()
		description.XLAFlags = os.Getenv("XLA_FLAGS")
		if backend.IsCUDA() {
			description.Platform = "cuda"
		}
		if plugin, err := pjrt.GetPlugin(backend.PluginName()); err == nil {
			major, minor := plugin.Version()
			description.PluginVersion = fmt.Sprintf("%d.%d", major, minor)
		}
	}
	return description
}
