package viz

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Slider is a number that a reader of a notebook sets by dragging.
type Slider struct {
	Label    string // shown beside it, and its key in the values
	Min, Max float64
	Step     float64 // distance of neighbouring positions
	Start    float64 // in [Min, Max]; taken to the nearest position
}

// positions is how many positions a slider has.
func (s Slider) positions() int { return int(math.Floor((s.Max-s.Min)/s.Step+1e-9)) + 1 }

// value is the number at a position, counted from 0.
func (s Slider) value(position int) float64 {
	return s.Min + float64(min(max(position, 0), s.positions()-1))*s.Step
}

// start is the position of the start value.
func (s Slider) start() int {
	return min(int(math.Round((s.Start-s.Min)/s.Step)), s.positions()-1)
}

// text is a value with as many decimals as the step has.
func (s Slider) text(v float64) string {
	decimals := 0
	for d := s.Step; decimals < 6 && math.Abs(d-math.Round(d)) > 1e-9*d; d *= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// checkSliders reports sliders that cannot be drawn or told apart.
func checkSliders(sliders []Slider) error {
	if len(sliders) == 0 {
		return errors.New("viz: interactive figure: give at least one slider")
	}
	seen := map[string]bool{}
	for _, s := range sliders {
		switch {
		case s.Label == "" || seen[s.Label]:
			return fmt.Errorf("viz: slider %q: labels must be there and differ, they are the keys of the values", s.Label)
		case !(s.Step > 0) || !(s.Min < s.Max) || !isFinite(s.Max-s.Min):
			return fmt.Errorf("viz: slider %q: from %v to %v in steps of %v is no range", s.Label, s.Min, s.Max, s.Step)
		case (s.Max-s.Min)/s.Step > 1e5:
			return fmt.Errorf("viz: slider %q: steps of %v from %v to %v are too many: take larger ones", s.Label, s.Step, s.Min, s.Max)
		case !(s.Start >= s.Min && s.Start <= s.Max):
			return fmt.Errorf("viz: slider %q: start %v is not in [%v, %v]", s.Label, s.Start, s.Min, s.Max)
		}
		seen[s.Label] = true
	}
	return nil
}

// valuesAt returns the numbers at positions, by label.
func valuesAt(sliders []Slider, positions []int) map[string]float64 {
	values := make(map[string]float64, len(sliders))
	for i, s := range sliders {
		values[s.Label] = s.value(positions[i])
	}
	return values
}
