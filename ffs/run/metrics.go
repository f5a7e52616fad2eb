package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Metrics is a line of metrics.jsonl: the step (the number of finished steps), the losses as
// weighted in the total, and the speed.
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
	// Terms are the extra loss terms by name, which starts with "loss_" (see package loss). In a
	// line they are keys like the others.
	Terms map[string]float64 `json:"-"`
	// Foreground is the mean number of foreground proposals of an image.
	Foreground float64 `json:"foreground"`
	// EnergyInlier and EnergyOutlier are the mean training energies of foreground proposals and of
	// synthetic outliers; 0 if there are none.
	EnergyInlier  float64 `json:"energy_inlier"`
	EnergyOutlier float64 `json:"energy_outlier"`
	// NLLSamples is the mean NLL of all features that the flow has drawn, before any are chosen. It
	// includes the constant of model.loss.nll_constant if that is set, so that it compares with
	// LossNLL / model.loss.nll, the mean NLL of the inliers. It is 0 without a flow.
	NLLSamples float64 `json:"nll_samples"`
	// SynthesisSteps is the number of steps of an iterative synthesiser. DeadWeights is true once
	// no weight of the energy is positive: the energies then no longer learn.
	SynthesisSteps int  `json:"synthesis_steps"`
	DeadWeights    bool `json:"dead_energy_weights"`
	// Unmatched is the number of ground truths that overlap no anchor, Dropped the number of those
	// for which the batch had no room.
	Unmatched int `json:"unmatched_boxes"`
	Dropped   int `json:"dropped_boxes"`
	// Seconds is the duration of the step, DataWait the part spent waiting for the batch.
	Seconds         float64 `json:"seconds"`
	ImagesPerSecond float64 `json:"images_per_second"`
	DataWait        float64 `json:"data_wait"`
}

// Loss is a loss with its name in metrics.jsonl.
type Loss struct {
	Name  string
	Value float64
}

// Losses returns the weighted losses: those of the detector, extra terms by name, the total.
func (m Metrics) Losses() []Loss {
	all := []Loss{
		{"loss_rpn_cls", m.LossRPNCls}, {"loss_rpn_loc", m.LossRPNLoc}, {"loss_cls", m.LossCls}, {"loss_box_reg", m.LossBoxReg},
		{"loss_energy", m.LossEnergy}, {"loss_nll", m.LossNLL},
	}
	for _, name := range slices.Sorted(maps.Keys(m.Terms)) {
		all = append(all, Loss{name, m.Terms[name]})
	}
	return append(all, Loss{"total_loss", m.TotalLoss})
}

// Set sets a number by its name in metrics.jsonl. A name that is not that of a field is an extra
// term. Except in losses, it replaces NaN and Inf by 0: JSON cannot hold them, and a diagnostic
// must not stop the training.
func (m *Metrics) Set(name string, value float64) {
	isLoss := strings.HasPrefix(name, "loss_") || name == "total_loss"
	if !isLoss && (math.IsNaN(value) || math.IsInf(value, 0)) {
		value = 0
	}
	fields := reflect.ValueOf(m).Elem()
	for i := range fields.NumField() {
		if fields.Type().Field(i).Tag.Get("json") != name {
			continue
		}
		switch field := fields.Field(i); field.Kind() {
		case reflect.Int:
			field.SetInt(int64(value))
		case reflect.Bool:
			field.SetBool(value != 0)
		default:
			field.SetFloat(value)
		}
		return
	}
	if m.Terms == nil {
		m.Terms = map[string]float64{}
	}
	m.Terms[name] = value
}

// plain is Metrics without its JSON methods.
type plain Metrics

// MarshalJSON writes the extra terms after the other keys.
func (m Metrics) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(plain(m))
	if err != nil || len(m.Terms) == 0 {
		return text, err
	}
	terms, err := json.Marshal(m.Terms)
	if err != nil {
		return nil, err
	}
	return slices.Concat(text[:len(text)-1], []byte(","), terms[1:]), nil
}

// UnmarshalJSON reads the output of MarshalJSON. Keys that start with "loss_" and are not those of
// fields are extra terms.
func (m *Metrics) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*plain)(m)); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for _, loss := range m.Losses() {
		delete(all, loss.Name)
	}
	for name, value := range all {
		if !strings.HasPrefix(name, "loss_") {
			continue
		}
		var number float64
		if err := json.Unmarshal(value, &number); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.Set(name, number)
	}
	return nil
}

// MetricsLog appends to the metrics.jsonl of a run.
type MetricsLog struct {
	file *os.File
	// Notes tell the user which damaged lines were left out.
	Notes []string
}

// OpenMetrics opens the log to append lines after the given step. It removes later lines, which a
// killed process may have left after its last checkpoint and which will be written again, and
// damaged ones, which Notes lists.
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
		log.Notes = append(log.Notes, fmt.Sprintf("%s: its last undamaged line is of step %d, the checkpoint of step %d: the lines between are lost", path, last, step))
	}
	if err := renameio.WriteFile(path, text.Bytes(), 0o644, renameio.WithTempDir(r.Dir)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	log.file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	return log, err
}

// metrics parses a line that follows the line of step last.
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
		return fmt.Errorf("%w: make room, then resume the run", err)
	}
	return nil
}

// Close closes the file.
func (l *MetricsLog) Close() error { return l.file.Close() }

// ReadMetrics returns the logged steps of the run. It ignores a last line that was cut off when the
// process was killed.
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
			return nil, fmt.Errorf("%s:%d: damaged: %w: resume the run, which drops the line", path, l.number, err)
		}
		all, last = append(all, m), m.Step
	}
	return all, nil
}
