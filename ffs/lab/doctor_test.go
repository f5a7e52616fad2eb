package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/ffs/device"
)

// The doctor looks at a plugin before it loads it: a library that is cut off would end the doctor,
// too.
func TestDoctorFindsADamagedPlugin(t *testing.T) {
	executable, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skipf("needs an ELF file: %v", err)
	}
	plugin := filepath.Join(t.TempDir(), "cpu_plugin.so")
	if err := os.WriteFile(plugin, executable[:len(executable)/2], 0o755); err != nil {
		t.Fatal(err)
	}
	check := checkBackend(t.Context(), device.Options{Plugin: plugin})
	if check.Status != Failure || !strings.Contains(check.Detail, plugin) || !strings.Contains(check.Detail, "damaged") || check.Remedy == "" {
		t.Errorf("check %+v, want a failure that names the file", check)
	}
}

func TestDoctorFailsForABackendWithoutDetectors(t *testing.T) {
	if check := checkBackend(t.Context(), device.Options{Backend: "go"}); check.Status != Failure || !strings.Contains(check.Remedy, "xla:cpu") {
		t.Errorf("check %+v, want a failure with the remedy", check)
	}
}
