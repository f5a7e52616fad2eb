package device

import (
	"fmt"

	"github.com/gomlx/compute"
)

// needed lists operations of detectors that GoMLX's backend in pure Go lacks. (XLA's does not list
// While and Sort, which it has.)
var needed = []compute.OpType{compute.OpTypeDynamicSlice, compute.OpTypeDynamicUpdateSlice}

// OpenForDetectors is Open, with an error if the backend cannot run detectors (see RunsDetectors).
func OpenForDetectors(options Options) (compute.Backend, error) {
	backend, err := Open(options)
	if err != nil {
		return nil, err
	}
	if err := RunsDetectors(backend); err != nil {
		backend.Finalize()
		return nil, err
	}
	return backend, nil
}

// RunsDetectors returns an error if the backend lacks an operation that detectors need.
func RunsDetectors(backend compute.Backend) error {
	has := backend.Capabilities().Operations
	for _, operation := range needed {
		if !has[operation] {
			return fmt.Errorf("the backend %q cannot run a detector: it has no %s: open xla:cpu or xla:cuda instead (GOMLX_BACKEND, --backend)", backend.Name(), operation)
		}
	}
	return nil
}
