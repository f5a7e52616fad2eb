package device

import (
	"io"
	"strings"
	"testing"
)

func TestOnlyXLARunsDetectors(t *testing.T) {
	if _, err := OpenForDetectors(Options{Backend: "go", Log: io.Discard}); err == nil || !strings.Contains(err.Error(), "DynamicSlice") || !strings.Contains(err.Error(), "xla:cpu") {
		t.Errorf("GoMLX's own backend: error %v, want one that names the operation and the remedy", err)
	}
	backend, err := OpenForDetectors(quiet())
	if err != nil {
		t.Fatal(err)
	}
	backend.Finalize()
}
