package viz

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// linearTicks puts four to eight labelled ticks at multiples of 1, 2 or 5 times a power of ten. All
// labels of an axis have the same number of decimals.
type linearTicks struct{}

// Ticks implements [plot.Ticker].
func (linearTicks) Ticks(low, high float64) []plot.Tick {
	if !(high > low) || math.IsInf(high-low, 0) {
		return nil
	}
	step := niceStep((high - low) / 5)
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var ticks []plot.Tick
	// The index is counted, never a sum of steps, so that no rounding error piles up.
	for i := math.Ceil(low/step - 1e-9); i <= math.Floor(high/step+1e-9); i++ {
		v := i * step
		ticks = append(ticks, plot.Tick{Value: v, Label: formatTick(v, step, decimals)})
	}
	return ticks
}

// niceStep rounds a positive step up to 1, 2 or 5 times a power of ten, or down where that is
// nearer.
func niceStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	switch m := raw / power; {
	case m < 1.5:
		return power
	case m < 3.5:
		return 2 * power
	case m < 7.5:
		return 5 * power
	default:
		return 10 * power
	}
}

// formatTick writes a tick label: thousands as k and millions as M where all labels of the axis
// allow it, a true minus sign, never "-0".
func formatTick(v, step float64, decimals int) string {
	if v == 0 { // -0 included
		return "0"
	}
	suffix := ""
	switch {
	case step >= 1e9 || step < 1e-4:
		return minus(strconv.FormatFloat(v, 'g', 4, 64))
	case step >= 1e6:
		v, suffix = v/1e6, "M"
	case step >= 1e3:
		v, suffix = v/1e3, "k"
	}
	return minus(strconv.FormatFloat(v, 'f', decimals, 64)) + suffix
}

// minus replaces the hyphen of a number by a minus sign.
func minus(s string) string { return strings.Replace(s, "-", "\u2212", 1) }

// logTicks labels the decades of a logarithmic axis, and 2 and 5 in between where the axis spans
// less than two decades; the other multiples are unlabelled. Values must be positive.
type logTicks struct{}

// Ticks implements [plot.Ticker].
func (logTicks) Ticks(low, high float64) []plot.Tick {
	if !(low > 0) || !(high > low) {
		return nil
	}
	decades := math.Log10(high / low)
	every := max(1, int(math.Ceil(decades/6)))
	var ticks []plot.Tick
	for e := int(math.Floor(math.Log10(low))); e <= int(math.Ceil(math.Log10(high))); e++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow10(e)
			if v < low*(1-1e-9) || v > high*(1+1e-9) {
				continue
			}
			label := ""
			if m == 1 && e%every == 0 || decades < 2 && (m == 2 || m == 5) || decades < 0.5 {
				label = formatLogTick(v)
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	return ticks
}

// formatLogTick writes a positive number of one digit: from 10 000 on as k, M or, from 10^10, as a
// power.
func formatLogTick(v float64) string {
	switch {
	case 9999 < v && v < 1e6:
		return strconv.FormatFloat(v/1e3, 'f', 0, 64) + "k"
	case 1e6 <= v && v < 1e10:
		return strconv.FormatFloat(v/1e6, 'f', 0, 64) + "M"
	case v < 1e10:
		return minus(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return minus(strconv.FormatFloat(v, 'g', 3, 64))
}

// placeTicks are those of an axis on which the places of values are their natural logarithms. (On
// gonum's logarithmic axes the axis label takes room as if it stood off the middle.)
type placeTicks struct{}

// Ticks implements [plot.Ticker].
func (placeTicks) Ticks(low, high float64) []plot.Tick {
	ticks := logTicks{}.Ticks(math.Exp(low), math.Exp(high))
	for i := range ticks {
		ticks[i].Value = math.Log(ticks[i].Value)
	}
	return ticks
}
