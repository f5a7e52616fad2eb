package explore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gomlx/compute"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/run"
	"ffslab/ffs/run/curves"
	"ffslab/ffs/run/preview"
	"ffslab/viz"
	"ffslab/viz/escape"
	"ffslab/viz/notebook"
)

// trainingView shows a training under the cell: a line of progress, a panel for each loss, and
// detections on validation images. In a headless run only the line is live, and the rest is shown
// at the end. Outside a notebook it prints ten lines.
type trainingView struct {
	ctx            context.Context // ends when the cell is interrupted
	name           string          // of the run
	config         config.Config
	line           *statusLine
	panels, images *notebook.Live
	begun          time.Time
	stop, stopped  chan struct{} // of the goroutine that draws

	mu      sync.Mutex // of what follows
	run     *run.Run   // nil before begin
	metrics []run.Metrics
	phase   string    // what precedes the first step; empty during training
	since   time.Time // start of the phase or of the first step after compiling
	from    int       // the step at since
	steps   int       // of this call
	ended   bool
	looks   *preview.Preview
}

// newTrainingView starts to show a training before its run is created.
func newTrainingView(ctx context.Context, name string, c config.Config) *trainingView {
	v := &trainingView{
		ctx: ctx, name: name, config: c, begun: time.Now(), since: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{}),
		line: newStatus(), panels: notebook.NewLive(), images: notebook.NewLive(),
	}
	go v.draw()
	return v
}

// doing names the current phase, which lasts until the next call or step.
func (v *trainingView) doing(what string) {
	v.mu.Lock()
	v.phase, v.since = what, time.Now()
	v.mu.Unlock()
	v.showLine()
}

// begin sets the run, with the steps that it has logged before.
func (v *trainingView) begin(r *run.Run, backend compute.Backend) error {
	past, err := r.ReadMetrics()
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.run, v.metrics, v.phase, v.since = r, past, "starting", time.Now()
	v.looks = preview.New(r, backend)
	return nil
}

// draw updates the line every second, and the panels so often that they take a twentieth of the
// time.
func (v *trainingView) draw() {
	defer close(v.stopped)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var panelsDue time.Time
	drawn := 0
	for {
		select {
		case <-v.stop:
			return
		case <-ticker.C:
		}
		v.showLine()
		v.mu.Lock()
		steps := len(v.metrics)
		v.mu.Unlock()
		if notebook.Watched() && steps > drawn && time.Now().After(panelsDue) {
			begin := time.Now()
			_ = v.showPanels() // tried again after the next step
			drawn, panelsDue = steps, time.Now().Add(20*time.Since(begin))
		}
	}
}

// status returns the line of progress.
func (v *trainingView) status() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	last := v.config.Train.MaxIter
	at := 0
	if len(v.metrics) > 0 {
		at = v.metrics[len(v.metrics)-1].Step
	}
	parts := []string{fmt.Sprintf("run %s: step %d of %d", v.name, at, last)}
	elapsed := time.Since(v.since)
	switch {
	case v.ended && v.steps == 0 && at >= last:
		parts = append(parts, "trained before")
	case v.ended && at >= last:
		parts = append(parts, "done in "+time.Since(v.begun).Round(time.Second).String())
	case v.ended:
		parts = append(parts, "stopped")
	case v.ctx.Err() != nil:
		parts = append(parts, "stopping")
	case v.phase != "":
		parts = append(parts, fmt.Sprintf("%s (%s)", v.phase, elapsed.Round(time.Second)))
	case at > v.from:
		perStep := elapsed / time.Duration(at-v.from)
		parts = append(parts, fmt.Sprintf("%.1f images/s", float64(v.config.Train.ImagesPerStep)/perStep.Seconds()),
			(perStep*time.Duration(last-at)).Round(time.Second).String()+" left")
	}
	if len(v.metrics) > 0 {
		parts = append(parts, fmt.Sprintf("total loss %.3f", v.metrics[len(v.metrics)-1].TotalLoss))
	}
	return strings.Join(parts, " · ")
}

func (v *trainingView) showLine() { v.line.show(v.status()) }

func (v *trainingView) showPanels() error {
	v.mu.Lock()
	metrics := v.metrics
	v.mu.Unlock()
	if len(metrics) == 0 {
		return nil
	}
	named := []run.Named{{Name: v.name, Run: &run.Run{Config: v.config}}}
	figures, err := curves.LossPanels(named, [][]run.Metrics{metrics}, v.config.Train.MaxIter)
	if err != nil {
		return err
	}
	var block strings.Builder
	block.WriteString(`<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:0 8px;max-width:1100px">`)
	for _, figure := range figures {
		panel, err := figure.HTML()
		if err != nil {
			return err
		}
		block.WriteString(panel)
	}
	block.WriteString("</div>")
	return v.panels.Show(block.String(), v.status())
}

// showDetections shows the detections of the newest checkpoint. An error is shown as a warning and
// does not stop the training.
func (v *trainingView) showDetections() {
	figure, _, err := v.looks.Detections(v.ctx)
	if errors.Is(err, viz.ErrNothing) || v.ctx.Err() != nil {
		return
	}
	block := ""
	if err == nil {
		block, err = figure.HTML()
	}
	if err != nil {
		v.Warn("no detections are shown: " + err.Error())
		return
	}
	_ = v.images.Show(`<div style="max-width:640px">`+block+"</div>", figure.Caption)
}

// Compiling implements train.Progress.
func (v *trainingView) Compiling(canvas data.Canvas) {
	v.doing(fmt.Sprintf("compiling the step for images of up to %dx%d pixels", canvas.Width, canvas.Height))
	if !notebook.InCell() {
		fmt.Println(v.status())
	}
}

// Compiled implements train.Progress.
func (v *trainingView) Compiled(int, time.Duration) {}

// Step implements train.Progress.
func (v *trainingView) Step(m run.Metrics, maxIter int) {
	v.mu.Lock()
	v.metrics = append(v.metrics, m)
	v.steps++
	if v.phase != "" { // this step compiled
		v.phase, v.since, v.from = "", time.Now(), m.Step
	}
	looks := v.looks
	v.mu.Unlock()
	if notebook.Watched() && looks.Due(m.Step) {
		go v.showDetections()
	}
	if !notebook.InCell() && m.Step%max(1, maxIter/10) == 0 {
		fmt.Println(v.status())
	}
}

// close shows the final state, without detections for an interrupted training.
func (v *trainingView) close(finished bool) error {
	close(v.stop)
	<-v.stopped
	if v.looks != nil {
		defer v.looks.Close()
	}
	v.mu.Lock()
	v.ended = true
	v.mu.Unlock()
	if !notebook.InCell() {
		return nil
	}
	v.showLine()
	err := v.showPanels()
	if finished && v.steps > 0 {
		v.showDetections()
	}
	return err
}

// Warn implements train.Progress.
func (v *trainingView) Warn(message string) { escape.Fprintf(os.Stdout, "warning: %s\n", message) }
