package device

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/cache"
)

// ErrWrongResult is wrapped by the error for a plugin that computes an operation wrongly. One
// plugin computed atan wrongly from 64 elements on, which ruins a flow without any other sign.
var ErrWrongResult = errors.New("wrong result in the self-check")

// checksVersion is part of the key of a passed self-check. Raise it when checks change.
const checksVersion = 1

// check is one operation with its inputs and the judgement of its outputs. Inputs are parameters of
// the graph: constants would be folded while compiling, by other code.
type check struct {
	operation string
	inputs    []any
	graph     func(inputs []*graph.Node) []*graph.Node
	judge     func(outputs [][]float64) error
}

// verify runs the self-check, unless the same plugin file passed it before with the same XLA flags.
func verify(backend compute.Backend, plugin string) error {
	record, err := passRecord(plugin)
	if err != nil {
		return err
	}
	if _, err := os.Stat(record); err == nil {
		return nil
	}
	if err := runChecks(backend, checks()); err != nil {
		return err
	}
	// Write errors are ignored: the next process checks again.
	_ = cache.WriteFile(record, []byte(plugin+"\n"))
	return nil
}

// passRecord returns the path of the file that says that the plugin has passed.
func passRecord(plugin string) (string, error) {
	file, err := identity(plugin)
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%d|%s|%s", checksVersion, file, os.Getenv(xlaFlagsEnv))
	return cache.Dir("selfcheck", fmt.Sprintf("%x", sha256.Sum256([]byte(key)))[:32])
}

// identity identifies a file by its path, size and time.
func identity(plugin string) (string, error) {
	info, err := os.Stat(plugin)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s|%d|%d", plugin, info.Size(), info.ModTime().UnixNano()), nil
}

// runChecks returns an error that names the first operation that fails or has a wrong result.
func runChecks(backend compute.Backend, checks []check) error {
	for _, c := range checks {
		outputs, err := c.run(backend)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrWrongResult, c.operation, firstLine(err))
		}
		if err := c.judge(outputs); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrWrongResult, c.operation, err)
		}
	}
	return nil
}

// run compiles and executes the check and returns each output as a flat slice.
func (c check) run(backend compute.Backend) ([][]float64, error) {
	exec, err := graph.NewExec(backend, func(inputs []*graph.Node) []*graph.Node {
		outputs := c.graph(inputs)
		for i, output := range outputs {
			outputs[i] = graph.ConvertDType(output, dtypes.Float64)
		}
		return outputs
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	results, err := exec.Call(c.inputs...)
	if err != nil {
		return nil, err
	}
	outputs := make([][]float64, len(results))
	for i, result := range results {
		if outputs[i], err = tensors.CopyFlatData[float64](result); err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

// near accepts outputs within the tolerance, relative to 1 + |want|.
func near(tolerance float64, want ...[]float64) func([][]float64) error {
	return func(got [][]float64) error {
		for i := range want {
			if len(got[i]) != len(want[i]) {
				return fmt.Errorf("output %d has %d values, not %d", i, len(got[i]), len(want[i]))
			}
			for j, w := range want[i] {
				if distance := math.Abs(got[i][j] - w); !(distance <= tolerance*(1+math.Abs(w))) {
					return fmt.Errorf("value %d of output %d is %g, not %g", j, i, got[i][j], w)
				}
			}
		}
		return nil
	}
}
