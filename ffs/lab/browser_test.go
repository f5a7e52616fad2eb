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

// serveNotebook runs JupyterLab on copies of the notebooks in the folder, which begins at the
// repository's root, and returns the address of one of them.
func serveNotebook(t *testing.T, dir, name string, cells Cells) string {
	t.Helper()
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	env, err := setUp(t.Context(), root, true, os.Stderr)
	if errors.Is(err, python.ErrNoConnection) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	log := &address{found: make(chan string, 1)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- env.serve(ctx, ServeOptions{Dir: filepath.Join(root, dir), Cells: cells, NoBrowser: true, Log: log}, "--LabApp.expose_app_in_browser=True")
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
		url := fmt.Sprintf(found, copiesDir+"/"+name)
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

const runCells = `window.jupyterapp.commands.execute("notebook:run-all-cells")`

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

func evaluate(js string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](js + "; ({})")
}

// fmtJS fills in an expression about the i-th cell.
func fmtJS(js string, i int) string { return "(" + fmt.Sprintf(js, i) + ")" }

// shot keeps a screenshot between other actions.
func shot(b *browser.Browser, t *testing.T, name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(context.Context, *chromedp.Target) error {
		b.Screenshot(t, name)
		return nil
	})
}
