package notebook

import (
	"errors"
	"testing"

	"ffslab/viz"
)

func TestOutsideNotebook(t *testing.T) {
	for name, err := range map[string]error{"figure": Show(&viz.Figure{}), "HTML": ShowHTML(""), "Markdown": ShowMarkdown(""), "live": NewLive().Show("", "")} {
		if !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v, want ErrNone", name, err)
		}
	}
}
