//go:build cgo && linux

package device

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ffslab/ffs/internal/cache"
)

// plainEnv makes TestZeroOptions a process of TestZeroOptionsLeaveTheProcessAlone.
const plainEnv = "FFSLAB_TEST_PLAIN"

func TestZeroOptions(t *testing.T) {
	if os.Getenv(plainEnv) == "" {
		t.Skip("is run by TestZeroOptionsLeaveTheProcessAlone")
	}
	plugin := FromEnvironment().Plugin
	t.Setenv(PluginEnv, "/no/such/plugin") // which must not be read below
	t.Setenv("GOMLX_BACKEND", "no-such-backend")
	before := os.Environ()
	Start(Options{})
	backend, err := Open(Options{Plugin: plugin, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	if after := os.Environ(); !slices.Equal(before, after) {
		t.Errorf("environment %q, before it %q", after, before)
	}
	if kept != [2]*keeper{} {
		t.Error("compiled programs are kept")
	}
}

// A process of its own: what Open did before in this one would stay.
func TestZeroOptionsLeaveTheProcessAlone(t *testing.T) {
	backend, err := Open(quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	description := Describe(backend)
	if description.Platform != "cpu" || description.Plugin == "" {
		t.Skipf("needs XLA's CPU plugin; this is %+v", description)
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZeroOptions$", "-test.v")
	command.Env = append(os.Environ(), plainEnv+"=1", PluginEnv+"="+description.Plugin, cache.DirEnv+"="+t.TempDir(), xlaFlagsEnv+"=", tunablesEnv+"=")
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestZeroOptions") {
		t.Errorf("%v\n%s", err, out)
	}
}
