package data

import (
	"fmt"
	"os"
)

// ReadSize returns the size that [ReadFile] gives the picture, from the file's header alone.
func ReadSize(path string) (height, width int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	header, err := readHeader(f)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	height, width = header.upright()
	return height, width, nil
}
