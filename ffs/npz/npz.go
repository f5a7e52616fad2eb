// Package npz reads and writes NumPy's .npz archives, the form in which latents, synthetic outliers and
// reference arrays leave and enter the project: a zip file of .npy members, so that one line of Python
// (numpy.load) opens what a run has produced.
//
// It writes little-endian C-ordered arrays of float32, float64, int32, int64, uint8 and bool, the types that the project's arrays have, and reads them in either byte
// order and Fortran's order, too, and float16, widened to float32. Anything else is an error that names the member.
package npz

import (
	"archive/zip"
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Arrays maps the name of each member (without ".npy") to its array.
type Arrays map[string]*Array

// Array is one n-dimensional array: Shape holds its dimensions (empty for a scalar), Data its elements in row-major
// order as a flat []float32, []float64, []int32, []int64, []uint8 or []bool.
type Array struct {
	Shape []int
	Data  any
}

// Names returns the members' names in alphabetical order.
func (a Arrays) Names() []string {
	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Read loads every member of the archive. The error names the file and the member that cannot be read.
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

// ReadArray loads a .npy file. The error names it.
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

// Write stores the arrays, in alphabetical order so that equal contents give equal bytes. The file appears whole
// or not at all. The error names it.
func Write(path string, arrays Arrays) error {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer file.Cleanup()
	archive := zip.NewWriter(file)
	for _, name := range arrays.Names() {
		w, err := archive.Create(name + ".npy")
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := writeArray(w, arrays[name]); err != nil {
			return fmt.Errorf("%s: array %q: %w", path, name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
