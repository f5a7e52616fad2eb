package eval

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"ffslab/data/lenient"
	"ffslab/ffs/npz"
)

// ReadScores reads a file of scores, by its extension:
//
//	.npy        an array of any shape
//	.npz:NAME   an array of an archive; :NAME is optional if there is only one
//	.csv, .tsv  a column of a table: FILE.csv:NAME, or the only column besides an index
//	other       one score a line, after an optional header; blank lines and # comments are skipped
//
// The error names the file and the line.
func ReadScores(path string) ([]float64, error) {
	file, name := splitColumn(path)
	var scores []float64
	var err error
	switch strings.ToLower(filepath.Ext(file)) {
	case ".npy", ".npz":
		scores, err = readArrayScores(file, name)
	case ".csv", ".tsv":
		scores, err = readTableScores(file, name)
	default:
		scores, err = readLineScores(path)
	}
	if err != nil {
		return nil, err
	}
	for i, score := range scores {
		if !isFinite(score) {
			return nil, fmt.Errorf("%s: score %d is %g, not a finite number", path, i, score)
		}
	}
	if len(scores) == 0 {
		return nil, fmt.Errorf("%s: %w: want one score a line", path, ErrEmpty)
	}
	return scores, nil
}

// splitColumn separates a path from the name of a column or array after a colon.
func splitColumn(path string) (file, name string) {
	for _, ext := range []string{".csv", ".tsv", ".npz"} {
		if i := strings.LastIndex(strings.ToLower(path), ext+":"); i >= 0 {
			return path[:i+len(ext)], path[i+len(ext)+1:]
		}
	}
	return path, ""
}

func readArrayScores(file, name string) ([]float64, error) {
	if strings.EqualFold(filepath.Ext(file), ".npy") {
		array, err := npz.ReadArray(file)
		if err != nil {
			return nil, err
		}
		return array.Float64s(), nil
	}
	arrays, err := npz.Read(file)
	if err != nil {
		return nil, err
	}
	if name == "" && len(arrays) == 1 {
		name = arrays.Names()[0]
	}
	array, ok := arrays[name]
	if !ok {
		return nil, fmt.Errorf("%s: give the array as %s:NAME, one of %s", file, file, strings.Join(arrays.Names(), ", "))
	}
	return array.Float64s(), nil
}

// readTableScores reads a column of a table with a header.
func readTableScores(file, name string) ([]float64, error) {
	text, err := lenient.Open(file, lenient.MaxTable, lenient.New(false))
	if err != nil {
		return nil, err
	}
	defer text.Close()
	r := csv.NewReader(bufio.NewReader(text))
	r.Comment, r.TrimLeadingSpace, r.ReuseRecord = '#', true, true
	if strings.EqualFold(filepath.Ext(file), ".tsv") {
		r.Comma = '\t'
	}
	var scores []float64
	column := -1
	for {
		row, err := r.Read()
		if err == io.EOF {
			return scores, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: not a table: %w", file, err)
		}
		if column < 0 {
			var header bool
			if column, header, err = scoreColumn(row, name); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if header {
				continue
			}
		}
		score, err := strconv.ParseFloat(strings.TrimSpace(row[column]), 64)
		if err != nil {
			line, _ := r.FieldPos(column)
			return nil, fmt.Errorf("%s:%d: %.40q is not a number", file, line, row[column])
		}
		scores = append(scores, score)
	}
}

// scoreColumn finds the column of the scores from the first row, and says whether that is a header.
func scoreColumn(row []string, name string) (column int, header bool, err error) {
	for _, cell := range row {
		if _, err := strconv.ParseFloat(strings.TrimSpace(cell), 64); err != nil && strings.TrimSpace(cell) != "" {
			header = true
		}
	}
	for i, cell := range row {
		if name != "" && header && strings.TrimSpace(cell) == name {
			return i, true, nil
		}
	}
	index := len(row) == 2 && (strings.TrimSpace(row[0]) == "" || !header) // pandas writes one
	switch {
	case name != "" && header:
		return 0, true, fmt.Errorf("there is no column %q: the header has %s", name, strings.Join(row, ", "))
	case name != "":
		return 0, false, fmt.Errorf("there is no header with a column %q", name)
	case len(row) == 1 || index:
		return len(row) - 1, header, nil
	}
	return 0, header, errors.New("which column? Give it as FILE.csv:NAME, one of " + strings.Join(row, ", "))
}

func readLineScores(path string) ([]float64, error) {
	file, err := lenient.Open(path, lenient.MaxTable, lenient.New(false))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var scores []float64
	lines := bufio.NewScanner(file)
	number, begun := 1, false
	for ; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		score, err := strconv.ParseFloat(text, 64)
		if !begun && err != nil && !startsWithNumber(text) { // a header
			begun = true
			continue
		}
		begun = true
		if err != nil || !isFinite(score) {
			return nil, fmt.Errorf("%s:%d: %.40q is not a finite number: want one score a line", path, number, text)
		}
		scores = append(scores, score)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", path, number, err)
	}
	return scores, nil
}

// startsWithNumber tells a line of numbers from a header.
func startsWithNumber(text string) bool {
	first := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
	if len(first) == 0 {
		return false
	}
	_, err := strconv.ParseFloat(first[0], 64)
	return err == nil
}
