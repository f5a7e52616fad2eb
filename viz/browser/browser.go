// Package browser starts a headless Chromium for tests of pages: those of viz and of the notebooks.
// Nothing but tests uses it.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a page of a headless Chromium that lives as long as its test.
type Browser struct {
	// Context is that of chromedp's actions.
	Context context.Context

	mu     sync.Mutex
	faults []string
	asked  []string
}

// Open starts Chromium with an empty page of a size in pixels; the test is skipped where none is
// installed.
func Open(t testing.TB, width, height int) *Browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium is installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.WindowSize(width, height))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's condition for running as root
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil { // starts it, for as long as this context lives
		t.Fatal(err)
	}
	b := &Browser{Context: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *Browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			fault += " " + e.ExceptionDetails.Exception.Description
		}
		b.faults = append(b.faults, fault)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			fault := "console:"
			for _, argument := range e.Args {
				fault += " " + string(argument.Value) + argument.Description
			}
			b.faults = append(b.faults, fault)
		}
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

// NoFaults fails the test if the page has had uncaught exceptions or has logged errors.
func (b *Browser) NoFaults(t testing.TB) {
	t.Helper()
	if faults := b.copy(&b.faults); len(faults) > 0 {
		t.Errorf("the page has errors:\n%s", strings.Join(faults, "\n"))
	}
}

// Asked are the addresses that the page has asked for, its own first.
func (b *Browser) Asked() []string { return b.copy(&b.asked) }

func (b *Browser) copy(list *[]string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), *list...)
}

// Text evaluates an expression whose value is a string.
func (b *Browser) Text(t testing.TB, js string) string {
	t.Helper()
	text, err := chromedp.Run(b.Context, chromedp.Evaluate[string]("String("+js+")"))
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", js, err))
	}
	return text
}

// Screenshot keeps the whole page under a name (go test -artifacts).
func (b *Browser) Screenshot(t testing.TB, name string) {
	t.Helper()
	picture, err := chromedp.Run(b.Context, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), picture, 0o600)
	}
	if err != nil {
		t.Logf("no screenshot: %v", err)
	}
}
