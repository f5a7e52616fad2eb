package device

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/cache"
)

// quiet are the options of the environment, without a log.
func quiet() Options {
	options := FromEnvironment()
	options.Log = io.Discard
	return options
}

func TestOpenComputes(t *testing.T) {
	backend, err := Open(quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	start := time.Now()
	if err := runChecks(backend, checks()); err != nil {
		t.Fatal(err)
	}
	t.Logf("self-check: %v on %+v", time.Since(start), Describe(backend))
	if description := Describe(backend); description.Backend == "" || len(description.Devices) == 0 {
		t.Errorf("Describe = %+v", description)
	}
}

// TestWrongResultIsNamed gives every check in turn the graph of a plugin that computes it wrongly.
func TestWrongResultIsNamed(t *testing.T) {
	backend, err := Open(quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	for _, c := range checks() {
		right := c.graph
		c.graph = func(inputs []*graph.Node) []*graph.Node {
			outputs := right(inputs)
			last := outputs[len(outputs)-1]
			if c.operation == "random numbers" {
				outputs[2] = outputs[0] // a generator that is stuck
			} else {
				outputs[len(outputs)-1] = graph.Add(last, graph.OnesLike(last))
			}
			return outputs
		}
		err := runChecks(backend, []check{c})
		if !errors.Is(err, ErrWrongResult) || !strings.Contains(err.Error(), c.operation) {
			t.Errorf("%s computed wrongly: error %v", c.operation, err)
		}
	}
}

func TestPassIsRememberedPerFile(t *testing.T) {
	t.Setenv(cache.DirEnv, t.TempDir())
	t.Setenv("XLA_FLAGS", "")
	plugin := filepath.Join(t.TempDir(), "cpu.so")
	record := func() string {
		path, err := passRecord(plugin)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.WriteFile(plugin, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := record()
	if first != record() {
		t.Error("the same file has two records")
	}
	if err := os.WriteFile(plugin, []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if second := record(); second == first {
		t.Error("a changed file keeps its record")
	}
	before := record()
	t.Setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
	if record() == before {
		t.Error("other XLA flags keep the record")
	}
}

func TestOpenRefuses(t *testing.T) {
	notAPlugin := filepath.Join(t.TempDir(), "cpu_plugin.so")
	if err := os.WriteFile(notAPlugin, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ backend, plugin, want string }{
		{backend: "tpu", want: "unknown backend"},
		{backend: "xla:tpu", want: "unknown XLA plugin"},
		{backend: "xla:/no/such/cpu.so", want: "/no/such/cpu.so"},
		{backend: "xla:" + notAPlugin, want: "does not open"},
		{plugin: notAPlugin, want: "does not open"},
		{backend: "xla:cpu", plugin: notAPlugin, want: "does not open"},
	} {
		backend, err := Open(Options{Backend: test.backend, Plugin: test.plugin, Log: io.Discard})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open(%q), plugin %q: %v, %v; want an error of one line with %q", test.backend, test.plugin, backend, err, test.want)
		}
	}
}

func TestGoBackendWarns(t *testing.T) {
	var log bytes.Buffer
	backend, err := Open(Options{Backend: "go", Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	if Describe(backend).Backend != "go" || !strings.Contains(log.String(), "cannot run detectors") {
		t.Errorf("backend %+v, log %q", Describe(backend), log.String())
	}
	sum, err := graph.CallOnce(backend, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(x) }, []float32{1, 2})
	if err != nil || tensors.ToScalar[float32](sum) != 3 {
		t.Errorf("1 + 2 = %v, %v", sum, err)
	}
}

func TestOnlyThePinnedPluginGetsItsFlags(t *testing.T) {
	pinned := filepath.Join("cache", "pjrt", "xla-cpu-pjrt-0.0.1", "xla_cpu_pjrt.so")
	for _, other := range []string{"xla_cpu_pjrt.so", filepath.Join("xla-cpu-pjrt-0.0.2", "xla_cpu_pjrt.so"), filepath.Join(filepath.Dir(pinned), "other.so")} {
		if isPinned(other) {
			t.Errorf("%s is taken for the pinned plugin", other)
		}
	}
	if !isPinned(pinned) {
		t.Errorf("%s is not taken for the pinned plugin", pinned)
	}
}
