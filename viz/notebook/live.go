package notebook

import (
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Live is an output of the cell that is replaced while the cell runs, such as the state of a
// training. What was shown last stays in the notebook when it is saved.
type Live struct{ id string }

// NewLive returns an output that appears with the first [Live.Show].
func NewLive() *Live { return &Live{id: "viz_live_" + gonbui.UniqueId()} }

// Show replaces the output by a block of HTML. The line says the same in plain text, for whoever
// sees no HTML: a terminal that follows a run without a browser. Outside a cell it does nothing and
// returns [ErrNone].
func (l *Live) Show(block, line string) error {
	if !gonbui.IsNotebook {
		return ErrNone
	}
	gonbui.SendData(&protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMETextHTML: block, protocol.MIMETextPlain: line},
		DisplayID: l.id,
	})
	gonbui.Sync()
	return gonbui.Error()
}

// InCell reports whether the program runs in a cell of a GoNB notebook.
func InCell() bool { return gonbui.IsNotebook }

// Watched reports whether a browser may be there to look at intermediate states: the program runs
// in a cell, and [Headless] is not set.
func Watched() bool { return InCell() && !headless() }
