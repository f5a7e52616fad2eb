// Package wholefile writes large files whole or not at all, as renameio.WriteFile does for content
// in memory, and tells files apart by their content.
package wholefile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Write replaces the file at path by what write writes. It fills a temporary file beside it, which
// it flushes to the disk and renames, so that readers see either the old or the whole new content,
// even after a crash. Where path is a symbolic link, the file that it leads to is replaced; a
// device or a pipe, such as /dev/stdout, is written to. The error names the file.
func Write(path string, mode os.FileMode, write func(io.Writer) error) error {
	err := func() error {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return writeThrough(path, write)
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		file, err := renameio.NewPendingFile(path, renameio.WithPermissions(mode), renameio.WithTempDir(filepath.Dir(path)))
		if err != nil {
			return err
		}
		defer file.Cleanup()
		buffer := bufio.NewWriterSize(file, 1<<20)
		if err := write(buffer); err != nil {
			return err
		}
		if err := buffer.Flush(); err != nil {
			return err
		}
		return file.CloseAtomicallyReplace()
	}()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func writeThrough(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// Digest returns the SHA-256 of a file's content in hexadecimal. The error names the file.
func Digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
