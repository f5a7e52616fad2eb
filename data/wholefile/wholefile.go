// Package wholefile writes large files whole or not at all, as renameio.WriteFile does for content
// in memory, and tells files apart by their content.
package wholefile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Write replaces the file at path by what write writes. It fills a temporary file beside it, which
// it flushes to the disk and renames, so that readers see either the old or the whole new content,
// even after a crash. The error names the file.
func Write(path string, mode os.FileMode, write func(io.Writer) error) error {
	err := func() error {
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
