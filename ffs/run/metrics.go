package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/renameio/v2"
)

// Metrics is one line of metrics.jsonl: the step (the number of finished steps), the losses as they are weighted in the total, and the pace.
type Metrics struct {
	Step       int     `json:"step"`
	LR         float64 `json:"lr"`
	TotalLoss  float64 `json:"total_loss"`
	LossRPNCls float64 `json:"loss_rpn_cls"`
	LossRPNLoc float64 `json:"loss_rpn_loc"`
	LossCls    float64 `json:"loss_cls"`
	LossBoxReg float64 `json:"loss_box_reg"`
	LossEnergy float64 `json:"loss_energy"`
	LossNLL    float64 `json:"loss_nll"`
	// Foreground is the mean number of foreground proposals of an image.
	Foreground float64 `json:"foreground"`
	// EnergyInlier and EnergyOutlier are the mean training energies of foreground proposals and of synthetic outliers; 0 where there are none.
	EnergyInlier  float64 `json:"energy_inlier"`
	EnergyOutlier float64 `json:"energy_outlier"`
	// NLLSamples is the mean NLL of the features that the flow has drawn, before any are chosen, with the constant of model.loss.nll_constant if that is set, so
	// that it compares with LossNLL / model.loss.nll, the mean NLL of the inliers; 0 without a flow.
	NLLSamples float64 `json:"nll_samples"`
	// SynthesisSteps is how many steps an iterative synthesiser took. DeadWeights is true once no weight of the energy is positive: the
	// energies then no longer learn.
	SynthesisSteps int  `json:"synthesis_steps"`
	DeadWeights    bool `json:"dead_energy_weights"`
	// Unmatched counts ground truths that overlap no anchor, Dropped those that the batch had no room for.
	Unmatched int `json:"unmatched_boxes"`
	Dropped   int `json:"dropped_boxes"`
	// Seconds is the time that the step took, DataWait the part of it that was spent waiting for the batch.
	Seconds         float64 `json:"seconds"`
	ImagesPerSecond float64 `json:"images_per_second"`
	DataWait        float64 `json:"data_wait"`
}

// MetricsLog appends to a run's metrics.jsonl.
type MetricsLog struct {
	file *os.File
	// Notes are for the user to read: damaged lines that were left out.
	Notes []string
}

// OpenMetrics opens the log to append what follows the given step. Later lines, which a killed process may have left beyond its last checkpoint,
// are removed: they will be written again. Damaged lines go, too, which Notes tells.
func (r *Run) OpenMetrics(step int) (*MetricsLog, error) {
	path := r.Path(metricsFile)
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	log := &MetricsLog{}
	var text bytes.Buffer
	last := 0
	for _, l := range lines {
		m, err := l.metrics(last)
		switch {
		case err != nil && !l.cut:
			log.Notes = append(log.Notes, fmt.Sprintf("%s:%d: damaged: %v: the line is left out", path, l.number, err))
		case err == nil && m.Step <= step:
			text.Write(append(l.text, '\n'))
			last = m.Step
		}
	}
	if last < step && (len(lines) > 0 || r.Config.Origin.Weights == "") {
		log.Notes = append(log.Notes, fmt.Sprintf("%s: its last whole line is of step %d, the checkpoint of step %d: those between are lost", path, last, step))
	}
	if err := renameio.WriteFile(path, text.Bytes(), 0o644, renameio.WithTempDir(r.Dir)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	log.file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	return log, err
}

// metrics is what a line that follows the one of the step last says.
func (l line) metrics(last int) (Metrics, error) {
	var m Metrics
	if l.fault != nil {
		return m, l.fault
	}
	if err := json.Unmarshal(l.text, &m); err != nil {
		return m, err
	}
	if m.Step <= last {
		return m, fmt.Errorf("step %d after step %d", m.Step, last)
	}
	return m, nil
}

// Append adds one line.
func (l *MetricsLog) Append(m Metrics) error {
	object, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(sealLine(object)); err != nil {
		return fmt.Errorf("%w: make room, then go on with --resume", err)
	}
	return nil
}

// Close closes the file.
func (l *MetricsLog) Close() error { return l.file.Close() }

// ReadMetrics returns the run's logged steps. A last line that was cut off when the process was killed is left out.
func (r *Run) ReadMetrics() ([]Metrics, error) {
	path := r.Path(metricsFile)
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	var all []Metrics
	last := 0
	for _, l := range lines {
		m, err := l.metrics(last)
		if l.cut {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: damaged: %w: ffs train --run %s --resume leaves the line out", path, l.number, err, r.Dir)
		}
		all, last = append(all, m), m.Step
	}
	return all, nil
}
