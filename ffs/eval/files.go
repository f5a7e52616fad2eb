package eval

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/renameio/v2"
)

// writeAtomically writes to a temporary file and renames it to path, so that readers see either the
// old or the whole new content.
func writeAtomically(path string, write func(io.Writer) error) error {
	err := func() error {
		file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
		if err != nil {
			return err
		}
		defer file.Cleanup()
		buffer := bufio.NewWriter(file)
		if err := errors.Join(write(buffer), buffer.Flush()); err != nil {
			return err
		}
		return file.CloseAtomicallyReplace()
	}()
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// explainJSON adds the position, and the remedy for what Python writes but JSON does not allow.
func explainJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early: is the file truncated?")
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s is a %s, want %s", kind.Field, kind.Value, kind.Type)
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	if strings.Contains(err.Error(), "invalid character 'N'") || strings.Contains(err.Error(), "invalid character 'I'") {
		return fmt.Errorf("byte %d: NaN and Infinity are not JSON: remove the entries that are not finite", syntax.Offset)
	}
	return fmt.Errorf("byte %d: %w", syntax.Offset, err)
}
