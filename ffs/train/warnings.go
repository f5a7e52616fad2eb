package train

import (
	"fmt"

	"ffslab/ffs/run"
)

// warnings remembers what was told.
type warnings struct{ dead, dropped bool }

// check tells once of each problem that makes the training worse.
func (w *warnings) check(m run.Metrics, p Progress) {
	if m.DeadWeights && !w.dead {
		w.dead = true
		p.Warn(fmt.Sprintf("step %d: no weight of the energy is positive: the energies no longer learn; lower model.loss.energy or train.base_lr", m.Step))
	}
	if m.Dropped > 0 && !w.dropped {
		w.dropped = true
		p.Warn(fmt.Sprintf("step %d: %d boxes exceed input.max_boxes and are not trained on; raise it (metrics.jsonl counts dropped_boxes)", m.Step, m.Dropped))
	}
}
