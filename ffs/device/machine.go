package device

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Machine says where something was computed.
type Machine struct {
	// Host is the name that the machine calls itself.
	Host string `json:"host"`
	// Device is the model of the devices, such as "NVIDIA H200" or the CPU's, with their number if there are several GPUs.
	Device string `json:"device"`
	// Driver is what the devices are driven by: the version of the PJRT plugin, and on NVIDIA's GPUs that of their driver.
	Driver string `json:"driver"`
}

// MachineOf describes the machine on which the backend of the description is open.
func MachineOf(d Description) Machine {
	m := Machine{Device: cpuModel("/proc/cpuinfo"), Driver: d.Backend}
	if host, err := os.Hostname(); err == nil {
		m.Host = host
	}
	if d.PluginVersion != "" {
		m.Driver = fmt.Sprintf("%s, PJRT %s", filepath.Base(d.Plugin), d.PluginVersion)
	}
	if d.Platform == "cuda" {
		m.Device = gpuModel("/proc/driver/nvidia/gpus", d.Devices)
		if version := nvidiaDriver("/proc/driver/nvidia/version"); version != "" {
			m.Driver += ", NVIDIA " + version
		}
	}
	return m
}

// cpuModel names the processor; without Linux's file, its architecture.
func cpuModel(cpuinfo string) string {
	text, _ := os.ReadFile(cpuinfo)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return runtime.GOARCH
}

// gpuModel names the GPUs by the driver's folder, which has a file for each GPU of the machine, or, where that is missing or the GPUs differ, by the
// backend's own descriptions.
func gpuModel(dir string, descriptions []string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "*", "information"))
	models := map[string]bool{}
	var model string
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, "Model:"); ok {
				model = strings.TrimSpace(value)
				models[model] = true
			}
		}
	}
	if len(models) != 1 {
		return strings.Join(descriptions, ", ")
	}
	if len(descriptions) > 1 {
		model = fmt.Sprintf("%d x %s", len(descriptions), model)
	}
	return model
}

// nvidiaDriver is the version in a line such as "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5 ...": the first field that starts
// with a digit and has a dot. It is empty where there is none.
func nvidiaDriver(file string) string {
	text, _ := os.ReadFile(file)
	first, _, _ := strings.Cut(string(text), "\n")
	for _, field := range strings.Fields(first) {
		if field[0] >= '0' && field[0] <= '9' && strings.Contains(field, ".") {
			return field
		}
	}
	return ""
}
