package eval

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ReadScores reads one score a line; blank lines are skipped. The error names
// file and line.
func ReadScores(path string) ([]float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var scores []float64
	lines := bufio.NewScanner(file)
	number := 1
	for ; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		score, err := strconv.ParseFloat(text, 64)
		if err != nil || !isFinite(score) {
			return nil, fmt.Errorf("%s:%d: %.40q is not a finite number: want one score a line", path, number, text)
		}
		scores = append(scores, score)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", path, number, err)
	}
	if len(scores) == 0 {
		return nil, fmt.Errorf("%s: %w: want one score a line", path, ErrEmpty)
	}
	return scores, nil
}
