package lab

import (
	"context"
	"encoding/json"
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
	explorerIdle = `document.querySelector(".viz-explorer")?.dataset.opened !== undefined && document.querySelector(".viz-explorer").dataset.busy === undefined`
	// setTo moves a slider, or chooses, by the name of the control.
	setTo    = `{const c = document.querySelector('.viz-explorer [data-set="%s"]'); c.value = %q; c.dispatchEvent(new Event("input", {bubbles: true}));}`
	summary  = `document.querySelector('.viz-explorer [data-show="summary"]').textContent`
	selected = `document.querySelector('.viz-explorer [data-show="selection"]').textContent`
	live     = `document.querySelector('.viz-explorer [data-show="live"]')`
	middleOf = `(() => { const e = document.querySelector('.viz-explorer %s'); e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect(); return JSON.stringify([b.left + b.width / 2, b.top + b.height / 2]); })()`
)

// clicked clicks with the mouse at the middle of a part of the explorer.
func clicked(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		text, err := chromedp.Evaluate[string](fmt.Sprintf(middleOf, selector))(ctx, target)
		if err != nil {
			return fmt.Errorf("%s: %w", selector, err)
		}
		var at [2]float64
		if err := json.Unmarshal([]byte(text), &at); err != nil {
			return err
		}
		_, err = chromedp.MouseClickXY(at[0], at[1])(ctx, target)
		return err
	})
}

// TestOutliersCanBeExplored runs notebook 04 in JupyterLab on a run that was hardly trained, and
// does what a reader does: choose, draw afresh by the cell's process, select, find the way between
// objects, and give the selection to the cell.
func TestOutliersCanBeExplored(t *testing.T) {
	b := browser.Open(t, 1200, 1000)
	ctx, stop := context.WithTimeout(b.Context, 15*time.Minute)
	defer stop()
	url := serveNotebook(t, "notebooks", "04_outlier_synthesis.ipynb", Cells{
		RunDir: briefRun(t), Out: t.TempDir(), ID: "digits:val?n=40", OOD: []string{"digits:ood-near?n=20"},
	})
	set := func(control, value string) chromedp.Action[chromedp.Void] {
		return evaluate(fmt.Sprintf(setTo, control, value))
	}
	drew := func(draw string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			if _, err := holds(fmt.Sprintf("%s.dataset.draw === %q && %s", live, draw, explorerIdle))(ctx, target); err != nil {
				return err
			}
			took, err := chromedp.Evaluate[string](live+".textContent")(ctx, target)
			t.Logf("%s: %s", draw, took)
			return err
		})
	}
	err := chromedp.Do(ctx,
		chromedp.Navigate(url),
		chromedp.WaitVisible(chromedp.CSS(".jp-Notebook .jp-CodeCell .cm-content")),
		chromedp.Sleep(8*time.Second), // a reader would first look, and JupyterLab asks for a kernel where all is run before
		evaluate(runCells),
		holds(explorerIdle),
		holds(summary+`.startsWith("1 of 200 drawn are kept as outliers: mean energy")`),
		set("temperature", "6"),
		set("drawn", "120"),
		set("selected", "15"),
		holds(summary+`.startsWith("15 of 120 drawn are kept")`),

		// The process behind the page draws what the page does not hold.
		holds(`!document.querySelector('.viz-explorer [data-set="live"]').closest("[hidden]")`),
		clicked(`[data-set="live"]`),
		drew("flow,200,1,1"),
		set("live-temperature", "1.37"),
		set("live-seed", "77"),
		drew("flow,200,1.37,77"),
		set("live-number", "150"),
		drew("flow,150,1.37,77"),
		holds(summary+`.startsWith("15 of 150 drawn are kept")`),
		set("method", "gaussian"),
		drew("gaussian,150,1.37,77"),
		set("live-temperature", "0.9"),
		drew("gaussian,150,0.9,77"),

		clicked(`[data-pick="kept"]`),
		holds(selected+` === "Selected: 0 real objects, 15 draws"`),
		chromedp.Sleep(time.Second),
		clicked(`[data-do="end"]`),
		holds(`[...document.querySelectorAll(".jp-OutputArea-output pre")].some((e) => e.textContent.includes("selected: 0 real objects, 15 draws of gaussian"))`),
		// The page works on without the process.
		clicked(`[data-do="clear"]`),
		set("method", "flow-langevin"),
		holds(summary+`.startsWith("120 of 120 drawn are kept") || `+summary+`.startsWith("200 of 200 drawn are kept") || `+summary+`.startsWith("150 of 150 drawn are kept")`),
		evaluate(`document.querySelector('.viz-explorer').scrollIntoView()`),
		chromedp.Sleep(time.Second),
	)
	b.Screenshot(t, "page")
	if err != nil {
		t.Fatal(err)
	}
	b.NoFaults(t)
}
