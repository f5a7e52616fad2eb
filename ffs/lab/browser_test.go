package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ffslab/ffs/internal/python"
	"ffslab/viz/browser"
)

// address waits for the address that JupyterLab logs.
type address struct {
	mu    sync.Mutex
	text  strings.Builder
	found chan string
}

var labAddress = regexp.MustCompile(`(http://localhost:\d+)/lab\S*\?token=(\w+)`)

func (a *address) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text.Write(p)
	if m := labAddress.FindStringSubmatch(a.text.String()); m != nil {
		select {
		case a.found <- m[1] + "/lab/tree/%s?token=" + m[2]:
		default:
		}
	}
	return len(p), nil
}

func (a *address) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}

// serveNotebook runs JupyterLab on a copy of the notebook, whose path begins at the repository's root, and returns the copy's address.
func serveNotebook(t *testing.T, path string) string {
	t.Helper()
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	env, err := setUp(t.Context(), root, true, os.Stderr)
	if errors.Is(err, python.ErrNoConnection) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// JupyterLab serves the repository, and saves what it runs: the copy lies where git does not look.
	out := filepath.Join(root, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(out, "browser-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}

	log := &address{found: make(chan string, 1)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- env.serve(ctx, ServeOptions{NoBrowser: true, Log: log}, "--LabApp.expose_app_in_browser=True")
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("JupyterLab's log:\n%s", log)
		}
	})
	select {
	case found := <-log.found:
		url := fmt.Sprintf(found, "out/"+filepath.Base(dir)+"/"+name)
		for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) { // it tells before it listens
			answer, err := http.Get(url)
			if err == nil {
				answer.Body.Close()
				break
			}
			if time.Since(begin) > 30*time.Second {
				t.Fatalf("%v\n%s", err, log)
			}
		}
		return url
	case <-time.After(time.Minute):
		t.Fatalf("JupyterLab told no address:\n%s", log)
	}
	return ""
}

// What a reader of the page sees: the value beside the slider, and the title inside the figure.
const (
	sliderShown = `document.querySelector('output[id^="viz_"]')?.textContent ?? ""`
	titleShown  = `[...document.querySelectorAll('figure svg text')].map(t => t.textContent).find(t => t.startsWith("slope")) ?? ""`
	runCells    = `window.jupyterapp.commands.execute("notebook:run-all-cells")`
	stopCells   = `window.jupyterapp.commands.execute("notebook:interrupt-kernel")`
	dragTo      = `{const s = document.querySelector('input[type=range][id^="viz_"]'); s.value = %d; s.dispatchEvent(new Event("input", {bubbles: true}));}`
)

// TestSliderRedrawsWhileTheCellRuns does in JupyterLab what a reader does: run the cells, drag the slider, stop the cell.
func TestSliderRedrawsWhileTheCellRuns(t *testing.T) {
	b := browser.Open(t, 1200, 1000)
	ctx, stop := context.WithTimeout(b.Context, 5*time.Minute)
	defer stop()
	url := serveNotebook(t, "ffs/lab/testdata/06_slider.ipynb")

	var begin, end time.Time
	now := func(at *time.Time) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(context.Context, *chromedp.Target) error { *at = time.Now(); return nil })
	}
	err := chromedp.Do(ctx,
		chromedp.Navigate(url),
		chromedp.WaitVisible(chromedp.CSS(".jp-Notebook .jp-CodeCell .cm-content")),
		chromedp.Sleep(8*time.Second), // a reader would first look, and JupyterLab asks for a kernel where all is run before
		evaluate(runCells),
		shows(sliderShown, "1.0"),
		shows(titleShown, "slope 1"),
		chromedp.Sleep(time.Second), // the page greets the cell
		now(&begin), evaluate(fmt.Sprintf(dragTo, 3)), shows(titleShown, "slope 1.5"), now(&end),
		shows(sliderShown, "1.5"),
		evaluate(stopCells),
		holds(`document.querySelector('input[type=range][id^="viz_"]') === null`),
		shows(titleShown, "slope 1.5"), // that of the last drag
	)
	b.Screenshot(t, "page")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the drag was answered after %v", end.Sub(begin))
	b.NoFaults(t)
}

// holds waits until the expression is true in the page.
func holds(js string) chromedp.Action[chromedp.Void] {
	poll := chromedp.Poll[bool](js, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(4*time.Minute))
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := poll(ctx, target); err != nil {
			return fmt.Errorf("%s: %w", js, err)
		}
		return nil
	})
}

func shows(js, want string) chromedp.Action[chromedp.Void] {
	return holds(fmt.Sprintf("(%s) === %q", js, want))
}

func evaluate(js string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](js + "; ({})")
}
