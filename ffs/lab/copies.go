package lab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// copyNotebooks copies the notebooks of one folder into another, where JupyterLab may save changes.
// Existing copies are kept, and log names those whose cells differ from the originals.
func copyNotebooks(from, to string, log io.Writer) error {
	originals, err := Notebooks(from, nil)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, original := range originals {
		content, err := os.ReadFile(original)
		if err != nil {
			return err
		}
		path := filepath.Join(to, filepath.Base(original))
		there, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = renameio.WriteFile(path, content, 0o644)
		case err == nil && !sameCells(content, there):
			fmt.Fprintf(log, "%s: your copy is kept, its cells differ from %s; remove it to get the original\n", path, original)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sameCells reports whether two notebooks have the same cells, regardless of outputs.
func sameCells(a, b []byte) bool {
	x, y := readCells(a), readCells(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].Type != y[i].Type || x[i].text() != y[i].text() {
			return false
		}
	}
	return true
}
