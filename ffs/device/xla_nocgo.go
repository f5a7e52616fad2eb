//go:build !cgo

package device

import (
	"github.com/gomlx/compute"

	"ffslab/ffs/internal/remedy"
)

// cgoMissing returns the error of this build: Go turns cgo off if it finds no C compiler.
func cgoMissing() error {
	return &remedy.Error{Fault: "built without a C compiler, which XLA needs", Remedy: "apt install gcc libc6-dev (macOS: xcode-select --install), and leave CGO_ENABLED unset"}
}

func newXLA(string, Options) (compute.Backend, error) { return nil, cgoMissing() }

func describeXLA(compute.Backend, *Description) {}
