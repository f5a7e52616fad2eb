package device

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
)

// Upload moves the parameters of a store to the backend's first device. GoMLX would copy them when
// a program first runs, and keep both copies until garbage is collected.
func Upload(store *model.Store, backend compute.Backend) error {
	for v := range store.IterVariables() {
		value, err := v.Value()
		if err != nil {
			return err
		}
		if err := value.MaterializeOnDevice(backend, false, 0); err != nil {
			return err
		}
		value.FinalizeLocal()
	}
	FreeGarbage()
	return nil
}
