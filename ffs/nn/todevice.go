package nn

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/device"
)

// ToDevice moves the store's parameters to the backend's first device. GoMLX would copy them when a
// program first runs, and keep both copies until garbage is collected.
func ToDevice(store *model.Store, backend compute.Backend) error {
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
	device.FreeGarbage()
	return nil
}
