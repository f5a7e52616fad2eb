package device

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Machine describes where something was computed.
type Machine struct {
	// Host is the machine's name.
	Host string `json:"host"`
	// Device is the model of the GPUs, such as "NVIDIA H200" or "2 x NVIDIA H200", or of the CPU.
	Device string `json:"device"`
	// Driver is the version of the PJRT plugin and, for NVIDIA's GPUs, of their driver.
	Driver string `json:"driver"`
}

// MachineOf describes this machine, given the description of an open backend.
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

// cpuModel returns the processor's model, or its architecture without Linux's file.
func cpuModel(cpuinfo string) string {
	text, _ := os.ReadFile(cpuinfo)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return runtime.GOARCH
}

// gpuModel returns the model of the GPUs from the driver's folder, or the backend's descriptions if
// the folder is missing or the models differ.
func gpuModel(dir string, descriptions []string) string {
	models, err := gpuModels(dir)
	if models = slices.Compact(models); err != nil || len(models) != 1 {
		return strings.Join(descriptions, ", ")
	}
	if len(descriptions) > 1 {
		return fmt.Sprintf("%d x %s", len(descriptions), models[0])
	}
	return models[0]
}

// gpuModels returns the models of the GPUs, sorted, from the driver's folder; nil if that is
// missing.
func gpuModels(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "information"))
	if err != nil {
		return nil, err
	}
	var models []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if model, ok := strings.CutPrefix(line, "Model:"); ok {
				models = append(models, strings.TrimSpace(model))
			}
		}
	}
	slices.Sort(models)
	return models, nil
}

// nvidiaDriver returns the version in a file such as "NVRM version: NVIDIA UNIX x86_64 Kernel
// Module 550.54.15  Tue Mar 5 ...": the first field that starts with a digit and has a dot, or "".
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
