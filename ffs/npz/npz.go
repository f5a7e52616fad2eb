// Package npz reads and writes NumPy's .npz archives, in which the project exchanges latents,
// synthetic outliers and reference arrays: a zip file of .npy members, which numpy.load opens.
//
// It writes little-endian arrays of float32, float64, int32, int64, uint8 and bool in C order. It
// also reads big-endian arrays, Fortran order, and float16, which it widens to float32. Other types
// are an error that names the member.
package npz

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"ffslab/data/wholefile"
)

// Arrays maps the name of each member (without ".npy") to its array.
type Arrays map[string]*Array

// Array is an n-dimensional array. Shape holds its dimensions (empty for a scalar), Data its
// elements in row-major order as a []float32, []float64, []int32, []int64, []uint8 or []bool.
type Array struct {
	Shape []int
	Data  any
}

// Names returns the names of the members in alphabetical order.
func (a Arrays) Names() []string {
	return slices.Sorted(maps.Keys(a))
}

// Read reads every member of the archive. The error names the file and the member.
func Read(path string) (Arrays, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: not a readable .npz archive: %w", path, err)
	}
	defer archive.Close()
	arrays := make(Arrays, len(archive.File))
	for _, member := range archive.File {
		name, isArray := strings.CutSuffix(member.Name, ".npy")
		if !isArray {
			return nil, fmt.Errorf("%s: member %q is not a .npy array", path, member.Name)
		}
		array, err := readMember(member)
		if err != nil {
			return nil, fmt.Errorf("%s: member %q: %w", path, member.Name, err)
		}
		arrays[name] = array
	}
	return arrays, nil
}

func readMember(member *zip.File) (*Array, error) {
	r, err := member.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readArray(r, member.UncompressedSize64)
}

// ReadArray reads a .npy file. The error names the file.
func ReadArray(path string) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	array, err := readArray(bufio.NewReader(f), uint64(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return array, nil
}

// Write writes the arrays in alphabetical order, so that equal contents give equal bytes. The file
// is written whole or not at all. The error names it.
func Write(path string, arrays Arrays) error {
	return wholefile.Write(path, 0o644, func(file io.Writer) error {
		archive := zip.NewWriter(file)
		for _, name := range arrays.Names() {
			w, err := archive.Create(name + ".npy")
			if err == nil {
				err = writeArray(w, arrays[name])
			}
			if err != nil {
				return fmt.Errorf("array %q: %w", name, err)
			}
		}
		return archive.Close()
	})
}
