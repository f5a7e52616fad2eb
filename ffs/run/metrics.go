package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
type MetricsLog struct{ file *os.File }

// OpenMetrics opens the log to append what follows the given step. Later lines, which a killed process may have left beyond its last checkpoint,
// are removed: they will be written again.
func (r *Run) OpenMetrics(step int) (*MetricsLog, error) {
	kept, err := r.ReadMetrics()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, m := range kept {
		if m.Step <= step {
			if err := encoder.Encode(m); err != nil {
				return nil, err
			}
		}
	}
	path := r.Path(metricsFile)
	if err := renameio.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	return &MetricsLog{file}, err
}

// Append adds one line.
func (l *MetricsLog) Append(m Metrics) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(line, '\n'))
	return err
}

// Close closes the file.
func (l *MetricsLog) Close() error { return l.file.Close() }

// ReadMetrics returns the run's logged steps. A last line that was cut off when the process was killed is left out.
func (r *Run) ReadMetrics() ([]Metrics, error) {
	file, err := os.Open(r.Path(metricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []Metrics
	lines := bufio.NewScanner(file)
	var fault error
	for number := 1; lines.Scan(); number++ {
		if fault != nil {
			return nil, fault
		}
		var m Metrics
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			fault = fmt.Errorf("%s:%d: %w", file.Name(), number, err)
			continue
		}
		all = append(all, m)
	}
	return all, lines.Err()
}
