package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// What a configuration may be: the YAML library takes memory that grows with the square of the
// depth, and much of it.
const (
	maxBytes = 1 << 20
	maxDepth = 100
)

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// checkBounds returns an error, with its line, if the text is longer or nested deeper than a
// configuration can be. Brackets count also in strings and comments: no name holds a hundred that
// stay open.
func checkBounds(text []byte) error {
	if len(text) > maxBytes {
		return fmt.Errorf("the text has more than %d bytes: is it a configuration?", maxBytes)
	}
	line, open := 0, 0
	for row := range bytes.Lines(text) {
		line++
		for _, c := range row {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(open-1, 0)
			}
			if open > maxDepth {
				return fmt.Errorf("[%d:1] the text is nested deeper than %d levels: is it a configuration?", line, maxDepth)
			}
		}
		// Every level of a block takes a column, and "- " or "? " open one each.
		indented := row[:len(row)-len(bytes.TrimLeft(row, " -?\t"))]
		if len(indented) > 2*maxDepth {
			return fmt.Errorf("[%d:1] the text is indented by more than %d columns: is it a configuration?", line, 2*maxDepth)
		}
	}
	return nil
}
