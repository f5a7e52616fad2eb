package device

import "github.com/gomlx/compute"

// Description describes an open backend.
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
	describeXLA(backend, &description)
	return description
}
