package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/run"
	"ffslab/viz/browser"
)

// What JupyterLab shows of the cells of a notebook, by their index.
const (
	cellText = `document.querySelectorAll('.jp-CodeCell')[%d]?.querySelector('.jp-OutputArea').innerText ?? ""`
	stopCell = `.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]`
	popUps   = `document.querySelectorAll('.Toastify__toast').length`
)

// TestStopEndsTheQueue runs all cells of a notebook in JupyterLab, stops the first one with the
// toolbar's button while it trains, and finds that the cells behind it did not run, that the
// training has kept its steps, and that a cell runs when it is asked for again.
func TestStopEndsTheQueue(t *testing.T) {
	b := browser.Open(t, 1200, 1000)
	ctx, cancel := context.WithTimeout(b.Context, 8*time.Minute)
	defer cancel()
	out := t.TempDir()
	url := serveNotebook(t, "ffs/lab/testdata/queue", "01_queue.ipynb", Cells{Out: out, Train: true})
	text := func(i int) string { return fmtJS(cellText, i) }
	err := chromedp.Do(ctx,
		chromedp.Navigate(url),
		chromedp.WaitVisible(chromedp.CSS(".jp-Notebook .jp-CodeCell .cm-content")),
		chromedp.Sleep(8*time.Second), // JupyterLab asks for a kernel where all is run before
		evaluate(runCells),
		holds(text(0)+`.startsWith("compiling and starting the cell")`),
		holds(`/^run flow: step 0 of 1300 · /.test(`+text(0)+`)`),
		holds(`/^run flow: step [1-9]\d* of 1300 · .* images\/s · .* left/.test(`+text(0)+`)`),
		chromedp.Sleep(5*time.Second),
		shot(b, t, "training"),
		chromedp.Click(chromedp.CSS(stopCell)),
		holds(text(0)+`.includes("is kept; run the cell again to go on")`),
		chromedp.Sleep(5*time.Second), // the second cell would need one
		shot(b, t, "stopped"),
	)
	if err != nil {
		b.Screenshot(t, "failed")
		t.Fatal(err)
	}
	for i := 1; i <= 2; i++ {
		if said := b.Text(t, text(i)); said != "" {
			t.Errorf("cell %d ran behind the one that was stopped: %q", i+1, said)
		}
	}
	if n := b.Text(t, popUps); n != "0" {
		t.Errorf("%s pop-ups", n)
	}
	stopped, err := run.Open(filepath.Join(out, "runs", "flow"))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := stopped.Load(model.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := stopped.ReadMetrics()
	if err != nil || len(metrics) == 0 || loaded.Step != metrics[len(metrics)-1].Step {
		t.Errorf("the checkpoint is of step %d, after %d steps: %v", loaded.Step, len(metrics), err)
	}
	err = chromedp.Do(ctx,
		runCell(2),
		holds(text(1)+`.includes("the second cell")`),
		runCell(1),
		chromedp.Click(chromedp.CSS(stopCell)), // while Go compiles it
		holds(`/signal: (interrupt|killed)|was interrupted/.test(`+text(0)+`)`),
	)
	if err != nil {
		b.Screenshot(t, "failed")
		t.Error(err)
	}
	b.NoFaults(t)
}

// runCell runs the n-th cell, from 1, alone.
func runCell(n int) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		return chromedp.Do(ctx,
			chromedp.Click(chromedp.CSS(fmt.Sprintf(".jp-CodeCell:nth-of-type(%d) .cm-content", n))),
			evaluate(`window.jupyterapp.commands.execute("notebook:run-cell")`))
	})
}
