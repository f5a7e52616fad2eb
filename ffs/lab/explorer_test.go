package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ffslab/data"
	_ "ffslab/data/digits"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/run"
	"ffslab/ffs/train"
	"ffslab/viz/browser"
)

// briefRun trains a detector on the digits for two steps: enough to have a flow, and outliers.
func briefRun(t *testing.T) string {
	t.Helper()
	c, err := config.Load("digits", "train.max_iter=2", "model.outlier.start_iter=1", "train.warmup_iters=1")
	if err != nil {
		t.Fatal(err)
	}
	set, err := data.Open(c.Data.Train, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Create(filepath.Join(t.TempDir(), "run"), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := train.Train(t.Context(), train.Options{Backend: testkit.Backend(t), Run: r, Data: set}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return r.Dir
}

// What the explorer of notebook 04 shows.
const (
	explorerReady = `document.querySelector('.viz-explorer')?.dataset.redraw !== undefined`
	// setTo moves a slider, or chooses, by the name of the control.
	setTo   = `{const c = document.querySelector('.viz-explorer [data-set="%s"]'); c.value = %q; c.dispatchEvent(new Event("input", {bubbles: true}));}`
	pixels  = `[...document.querySelectorAll('.viz-explorer canvas')].map(c => c.toDataURL()).join()`
	summary = `document.querySelector('.viz-explorer [data-show="summary"]').textContent`
	crops   = `document.querySelectorAll('.viz-explorer [data-show="crops"] img').length`
	// clickSelected clicks at the first feature that is selected, which the page draws as a ring of the ink around orange.
	clickSelected = `{
		const canvas = document.querySelector('.viz-explorer [data-show="scatter"]');
		const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		const rect = canvas.getBoundingClientRect();
		for (let i = 0; i < image.data.length; i += 4) {
			if (image.data[i] === 230 && image.data[i + 1] === 159 && image.data[i + 2] === 0) {
				const x = (i / 4) % canvas.width, y = Math.floor(i / 4 / canvas.width) + 3;
				const at = {clientX: rect.left + x * rect.width / canvas.width, clientY: rect.top + y * rect.height / canvas.height, bubbles: true};
				canvas.dispatchEvent(new MouseEvent("mousemove", at));
				canvas.dispatchEvent(new MouseEvent("click", at));
				break;
			}
		}
	}`
	tip = `document.querySelector('.viz-explorer [data-show="tip"]').textContent`
)

// TestOutliersCanBeExplored runs notebook 04 in JupyterLab on a run that was hardly trained, and does what a reader does: drag, choose, point, click.
func TestOutliersCanBeExplored(t *testing.T) {
	b := browser.Open(t, 1200, 1000)
	ctx, stop := context.WithTimeout(b.Context, 8*time.Minute)
	defer stop()
	url := serveNotebook(t, "notebooks", "04_outlier_synthesis.ipynb", Cells{
		RunDir: briefRun(t), Out: t.TempDir(), ID: "digits:val?n=40", OOD: []string{"digits:ood-near?n=20"},
	})
	changed := func(control, value string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			before, err := chromedp.Evaluate[string](pixels)(ctx, target)
			if err == nil {
				_, err = evaluate(fmt.Sprintf(setTo, control, value))(ctx, target)
			}
			if err == nil {
				_, err = holds(fmt.Sprintf("%s !== %q", pixels, before))(ctx, target)
			}
			if err != nil {
				return fmt.Errorf("%s set to %s: %w", control, value, err)
			}
			return nil
		})
	}
	err := chromedp.Do(ctx,
		chromedp.Navigate(url),
		chromedp.WaitVisible(chromedp.CSS(".jp-Notebook .jp-CodeCell .cm-content")),
		chromedp.Sleep(8*time.Second), // a reader would first look, and JupyterLab asks for a kernel where all is run before
		evaluate(runCells),
		holds(explorerReady),
		holds(summary+`.startsWith("1 of 200 drawn are selected: mean energy")`),
		changed("temperature", "6"),
		changed("seed", "2"),
		changed("drawn", "120"),
		changed("selected", "15"),
		holds(summary+`.startsWith("15 of 120 drawn are selected")`),
		changed("y", "2"),
		evaluate(clickSelected),
		holds(tip+`.startsWith("synthetic outlier\nNLL ")`),
		holds(crops+" === 6"),
		changed("method", "gaussian"),
		changed("method", "flow-langevin"),
		holds(summary+`.startsWith("120 of 120 drawn are selected")`),
		changed("from", "3"),
		changed("position", "20"),
		changed("corners", "5"),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			took, err := chromedp.Evaluate[string](`document.querySelector('.viz-explorer').dataset.redraw`)(ctx, target)
			t.Logf("the last drawing took %s ms", took)
			return err
		}),
		evaluate(`document.querySelector('.viz-explorer').scrollIntoView()`),
		chromedp.Sleep(time.Second),
	)
	b.Screenshot(t, "page")
	if err != nil {
		t.Fatal(err)
	}
	b.NoFaults(t)
}
