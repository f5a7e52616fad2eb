package device

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The files are in the forms of Linux and of NVIDIA's driver.
func TestMachineIsReadFromTheSystemsFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cpu := write("cpuinfo", "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some  CPU @ 2.50GHz\nflags\t\t: fpu\n")
	if got := cpuModel(cpu); got != "Some CPU @ 2.50GHz" {
		t.Errorf("processor %q", got)
	}
	version := write("version", "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\nGCC version: gcc 12.2.0\n")
	if got := nvidiaDriver(version); got != "570.86.15" {
		t.Errorf("driver %q", got)
	}
	if got := nvidiaDriver(filepath.Join(dir, "absent")); got != "" {
		t.Errorf("driver %q of no file", got)
	}
	write("gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H200\nIRQ: 1\n")
	gpus := filepath.Join(dir, "gpus")
	got := []string{gpuModel(gpus, []string{"a"}), gpuModel(gpus, []string{"a", "b"}), gpuModel(dir, []string{"a", "b"})}
	write("gpus/0000:02:00.0/information", "Model: \t\t NVIDIA T4\n")
	got = append(got, gpuModel(gpus, []string{"a"}))
	if diff := cmp.Diff([]string{"NVIDIA H200", "2 x NVIDIA H200", "a, b", "a"}, got); diff != "" {
		t.Errorf("GPUs (-want +got):\n%s", diff)
	}
}
