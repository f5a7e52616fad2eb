// Package notebook shows figures in the cells of a GoNB notebook. Drawing them needs none of it.
package notebook

import (
	"errors"
	"os"

	"github.com/janpfeifer/gonb/gonbui"

	"ffslab/viz"
)

// ErrNone says why nothing was shown: the program does not run in a cell of a GoNB notebook.
var ErrNone = errors.New("not in a GoNB notebook cell: nothing is shown; use Save to write files")

// Headless is the environment variable that, set to anything, says that no browser watches the
// notebook (see [Watched]).
const Headless = "FFSLAB_HEADLESS"

func headless() bool { return os.Getenv(Headless) != "" }

// Show puts the figure and its caption into the output of the current cell, where it is saved with
// the notebook. Outside a cell it does nothing and returns [ErrNone].
func Show(f *viz.Figure) error {
	if !gonbui.IsNotebook {
		return ErrNone
	}
	block, err := f.HTML()
	if err != nil {
		return err
	}
	return ShowHTML(block)
}

// ShowHTML puts a block of HTML into the output of the current cell. Outside a cell it does nothing
// and returns [ErrNone].
func ShowHTML(block string) error {
	if !gonbui.IsNotebook {
		return ErrNone
	}
	gonbui.DisplayHTML(block)
	gonbui.Sync()
	return gonbui.Error()
}

// ShowMarkdown puts text in Markdown into the output of the current cell. Outside a cell it does
// nothing and returns [ErrNone].
func ShowMarkdown(text string) error {
	if !gonbui.IsNotebook {
		return ErrNone
	}
	gonbui.DisplayMarkdown(text)
	gonbui.Sync()
	return gonbui.Error()
}
