package plotly

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// The script comes from the index once; then it is read from the cache, and a damaged one is
// fetched again.
func TestScript(t *testing.T) {
	home := t.TempDir()
	t.Setenv(cache.DirEnv, home)
	var log bytes.Buffer
	script, err := Script(t.Context(), &log)
	if errors.Is(err, python.ErrNoConnection) {
		t.Skip(err)
	}
	if err != nil || !bytes.Contains(script[:200], []byte("plotly.js v4")) {
		t.Fatalf("%v, begins %.100q", err, script)
	}
	t.Setenv(python.PathEnv, "/nowhere") // whoever fetches now, fails
	if again, err := Script(t.Context(), &log); err != nil || !bytes.Equal(again, script) {
		t.Errorf("the second time: %v", err)
	}
	if n := strings.Count(log.String(), "fetching"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	path := filepath.Join(home, "plotly", wheel.Version, "plotly.min.js")
	if err := os.WriteFile(path, script[:1000], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Script(t.Context(), &log); err == nil || strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a damaged script and no Python: %v", err)
	}
}
