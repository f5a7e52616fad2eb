package study

import (
	"strings"
	"testing"
	"time"
)

func TestStateInWords(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := plan{Steps: 90}
	for _, test := range []struct {
		record record
		want   string
	}{
		{record{}, "waiting"},
		{record{State: training, Beat: now.Add(-beatEvery)}, "running step 0 of 90"},
		{record{State: measuring, Beat: now.Add(-silence)}, "measuring"},
		{record{State: training, Beat: now.Add(-silence - time.Second)}, "failed: no sign of life since 2026-01-02 03:02:04, at step 0 of 90: was it killed?"},
		{record{State: stopped, Beat: now.Add(-time.Hour)}, "stopped at step 0 of 90"},
		{record{State: failed, Why: "why", Beat: now.Add(-time.Hour)}, "failed: why"},
		{record{State: done, Beat: now.Add(-time.Hour)}, "done"},
	} {
		if got := p.state(t.TempDir(), "x", test.record, now); !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v: %q, want %q", test.record, got, test.want)
		}
	}
}
