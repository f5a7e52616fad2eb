package train

import (
	"fmt"

	"ffslab/ffs/run"
)

// warnings are told once each.
type warnings struct{ dead, dropped bool }

// check looks for what does not stop a training but makes it worse than its user expects.
func (w *warnings) check(m run.Metrics, p Progress) {
	if m.DeadWeights && !w.dead {
		w.dead = true
		p.Warn(fmt.Sprintf("step %d: no weight of the energy is positive: the energies stay at their floor and no longer learn (lower model.loss.energy or train.base_lr)", m.Step))
	}
	if m.Dropped > 0 && !w.dropped {
		w.dropped = true
		p.Warn(fmt.Sprintf("step %d: %d boxes found no room in the batch and are not trained on: raise input.max_boxes (counted as dropped_boxes in metrics.jsonl)", m.Step, m.Dropped))
	}
}
