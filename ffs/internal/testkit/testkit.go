// Package testkit holds what the tests of several packages share: the backend, reference arrays of
// the original (see testdata in each package), and the comparison with a tolerance.
package testkit

import (
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/device"
	"ffslab/ffs/npz"
)

var openBackend = sync.OnceValues(func() (compute.Backend, error) { return device.Open(device.FromEnvironment()) })

// Backend returns the backend that the environment chooses (GOMLX_BACKEND, or the default), opened
// once for each process.
func Backend(t testing.TB) compute.Backend {
	t.Helper()
	backend, err := openBackend()
	if err != nil {
		t.Fatalf("no backend: %v", err)
	}
	return backend
}

// OnGPU reports whether Backend is not a CPU. Skip tests of what holds only on CPUs, and say why.
func OnGPU(t testing.TB) bool {
	t.Helper()
	return device.Describe(Backend(t)).Platform != "cpu"
}

// Golden reads reference arrays, for example "testdata/flow.npz".
func Golden(t testing.TB, path string) npz.Arrays {
	t.Helper()
	arrays, err := npz.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

// Run builds fn, calls it with the inputs (tensors or Go values) and returns its outputs.
func Run(t testing.TB, fn func(inputs []*graph.Node) []*graph.Node, inputs ...any) []*tensors.Tensor {
	t.Helper()
	exec, err := graph.NewExec(Backend(t), fn)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	outputs, err := exec.Call(inputs...)
	if err != nil {
		t.Fatalf("running the graph: %+v", err)
	}
	return outputs
}

// RunModel is Run for a graph whose variables are in store.
func RunModel(t testing.TB, store *model.Store, fn func(scope *model.Scope, inputs []*graph.Node) []*graph.Node, inputs ...any) []*tensors.Tensor {
	t.Helper()
	exec, err := model.NewExec(Backend(t), store, fn)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	outputs, err := exec.Call(inputs...)
	if err != nil {
		t.Fatalf("running the graph: %+v", err)
	}
	return outputs
}

// Random returns a float32 tensor of standard normal numbers.
func Random(rng *rand.Rand, dims ...int) *tensors.Tensor {
	size := 1
	for _, n := range dims {
		size *= n
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// Close fails the test unless got and want have the same number of elements and |got-want| <=
// tol*(1+|want|) for each; it reports the worst. Both may be *tensors.Tensor, *npz.Array, a slice
// of numbers or one number. NaN equals NaN, and infinities equal themselves.
func Close(t testing.TB, name string, got, want any, tol float64) {
	t.Helper()
	g, w := flat(t, got), flat(t, want)
	if len(g) != len(w) {
		t.Errorf("%s: %d elements, want %d", name, len(g), len(w))
		return
	}
	worst, at, beyond := 0.0, -1, 0
	for i := range g {
		if g[i] == w[i] || math.IsNaN(g[i]) && math.IsNaN(w[i]) {
			continue
		}
		e := math.Abs(g[i]-w[i]) / (1 + math.Abs(w[i]))
		if math.IsNaN(e) {
			e = math.Inf(1)
		}
		if e > tol {
			beyond++
		}
		if at < 0 || e > worst {
			worst, at = e, i
		}
	}
	if beyond > 0 {
		t.Errorf("%s: %d of %d elements beyond %g; worst at %d: got %v, want %v (error %.3g)", name, beyond, len(g), tol, at, g[at], w[at], worst)
		return
	}
	t.Logf("%s: %d elements within %.2g (allowed %g)", name, len(g), worst, tol)
}

func flat(t testing.TB, v any) []float64 {
	t.Helper()
	switch v := v.(type) {
	case *npz.Array:
		return v.Float64s()
	case *tensors.Tensor:
		return flatTensor(t, v)
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice {
		return []float64{number(t, r)}
	}
	values := make([]float64, r.Len())
	for i := range values {
		values[i] = number(t, r.Index(i))
	}
	return values
}

func flatTensor(t testing.TB, v *tensors.Tensor) []float64 {
	t.Helper()
	switch v.DType() {
	case dtypes.Float32:
		return flat(t, tensors.MustCopyFlatData[float32](v))
	case dtypes.Float64:
		return tensors.MustCopyFlatData[float64](v)
	case dtypes.Int32:
		return flat(t, tensors.MustCopyFlatData[int32](v))
	case dtypes.Int64:
		return flat(t, tensors.MustCopyFlatData[int64](v))
	case dtypes.Uint8:
		return flat(t, tensors.MustCopyFlatData[uint8](v))
	case dtypes.Bool:
		return flat(t, tensors.MustCopyFlatData[bool](v))
	}
	t.Fatalf("cannot compare tensors of type %s", v.DType())
	return nil
}

func number(t testing.TB, r reflect.Value) float64 {
	t.Helper()
	switch {
	case r.CanFloat():
		return r.Float()
	case r.CanInt():
		return float64(r.Int())
	case r.CanUint():
		return float64(r.Uint())
	case r.Kind() == reflect.Bool:
		if r.Bool() {
			return 1
		}
		return 0
	}
	t.Fatalf("cannot compare a %s", r.Type())
	return 0
}

// Repeat measures calls of a graph, after one that compiles it.
func Repeat(b *testing.B, exec *graph.Exec, inputs ...any) {
	b.Helper()
	call := func() {
		outputs, err := exec.Call(inputs...)
		if err != nil {
			b.Fatal(err)
		}
		for _, output := range outputs {
			output.MustFinalizeAll()
		}
	}
	call()
	for b.Loop() {
		call()
	}
}
