// Package jsonfile reads and writes small records as JSON files.
package jsonfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/google/renameio/v2"
)

// Read reads a value that [Write] wrote. The error names the file.
func Read(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Write writes a value as indented JSON. The file is written whole or not at all.
func Write(path string, value any) error {
	var text bytes.Buffer
	err := Print(&text, value)
	if err == nil {
		err = renameio.WriteFile(path, text.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// Print writes a value as indented JSON to w. The names of sets hold "&", which it does not escape.
func Print(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
