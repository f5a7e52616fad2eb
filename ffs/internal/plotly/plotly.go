// Package plotly provides the text of plotly.min.js, which draws the explorer's pages. It lies in
// the Python package plotly (MIT licence), which pip fetches once into the cache.
package plotly

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// The wheel and what is taken from it.
const (
	version      = "7.1.0" // of the wheel; it holds Plotly.js 4.1.1
	wheelFile    = "plotly-" + version + "-py3-none-any.whl"
	wheelSHA256  = "dbb7fa18afce40d0a8e80d1bf162eceb3faa0ce5a77fe741ad09a74cf78f53f3"
	member       = "plotly/package_data/plotly.min.js"
	scriptSHA256 = "3b6e15d45dbb7fca5bd2094291e961ddc5472cd887009e6009a56dab668d721f"
)

// Remedy says what to do where [Script] fails, one sentence for the reader of a page without it.
const Remedy = "Connect this machine to its Python package index (pip) and make the page again: the library is fetched once, 10 MB, and then kept."

// Script returns the text of plotly.min.js. The first call on a machine downloads it, which it tells
// log; later ones need no network.
func Script(ctx context.Context, log io.Writer) ([]byte, error) {
	dir, err := cache.Dir("plotly", version)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, filepath.Base(member))
	damaged := func() bool { _, err := read(path); return errors.Is(err, errDamaged) }
	if damaged() {
		if err := cache.Discard(ctx, dir, damaged); err != nil {
			return nil, err
		}
	}
	err = cache.Install(ctx, dir, func(temporary string) error { return install(ctx, temporary, log) })
	if err != nil {
		return nil, fmt.Errorf("Plotly.js: %w", err)
	}
	return read(path)
}

// install puts the script into the folder dir.
func install(ctx context.Context, dir string, log io.Writer) error {
	interpreter, err := python.Find(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "fetching Plotly.js for the explorer (Python package plotly %s, 10 MB)\n", version)
	download := filepath.Join(dir, "download")
	if err := os.Mkdir(download, 0o755); err != nil {
		return err
	}
	if err := interpreter.Download(ctx, download, "plotly=="+version, wheelSHA256); err != nil {
		return err
	}
	wheel, err := zip.OpenReader(filepath.Join(download, wheelFile))
	if err != nil {
		return err
	}
	defer wheel.Close()
	script, err := fs.ReadFile(wheel, member)
	if err != nil {
		return fmt.Errorf("%s: %w", wheelFile, err)
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(member)), script, 0o644); err != nil {
		return err
	}
	return os.RemoveAll(download)
}

// errDamaged says that the script in the cache is not the pinned one.
var errDamaged = errors.New("is damaged")

func read(path string) ([]byte, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != scriptSHA256 {
		return nil, fmt.Errorf("%s %w: remove it, it is fetched again", path, errDamaged)
	}
	return script, nil
}
