package data_test

import (
	"testing"

	"ffslab/data"
)

// An opener that returns nothing at all is an error that names its form.
func TestOpenerWithoutResult(t *testing.T) {
	data.Register("nothing", "nothing:ANY", func(string, data.Options) (*data.Dataset, error) { return nil, nil })
	const want = `form of data "nothing": its opener returned neither a data set nor an error`
	if _, err := data.Open("mine=nothing:x", data.Options{}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}
