package viz

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"os"

	"github.com/janpfeifer/gonb/gonbui"
)

// ErrNoNotebook says why nothing was shown: the program does not run in a cell of a GoNB notebook.
var ErrNoNotebook = errors.New("viz: not in a GoNB notebook cell: nothing is shown; use Save to write files")

// Headless is the environment variable that, set to anything, says that no browser watches the notebook:
// [Interactive] then does not wait for one, and [Live] draws the final state only.
const Headless = "FFSLAB_HEADLESS"

// Show puts the figure and its caption into the output of the current notebook cell, where it is saved with
// the notebook. Outside a GoNB cell it does nothing and returns [ErrNoNotebook].
func (f *Figure) Show() error {
	if !gonbui.IsNotebook {
		return ErrNoNotebook
	}
	block, err := f.html()
	if err != nil {
		return err
	}
	gonbui.DisplayHTML(block)
	gonbui.Sync()
	return gonbui.Error()
}

// html returns the figure as a block of HTML that needs nothing else: plots as SVG, half as large again as in
// print, pictures as PNG. Both shrink with a narrow window.
func (f *Figure) html() (string, error) {
	const screenScale = 1.5
	var body []byte
	width := fmt.Sprintf("%.0fpt", f.width.Points()*screenScale)
	if f.pixels != nil {
		picture, err := f.PNG()
		if err != nil {
			return "", err
		}
		width = fmt.Sprintf("%dpx", f.pixels.Bounds().Dx())
		body = fmt.Appendf(nil, `<img style="width:100%%" alt="%s" src="data:image/png;base64,%s">`,
			html.EscapeString(f.Caption), base64.StdEncoding.EncodeToString(picture))
	} else {
		svg, err := f.SVG()
		if err != nil {
			return "", err
		}
		// The size comes from the block around it; the viewBox keeps the proportions.
		end := bytes.Index(svg, []byte(" viewBox="))
		body = append([]byte(`<svg role="img" style="width:100%;height:auto"`), svg[end:]...)
	}
	caption := ""
	if f.Caption != "" {
		caption = "<figcaption>" + html.EscapeString(f.Caption) + "</figcaption>"
	}
	return fmt.Sprintf(`<figure style="margin:0.5em 0;max-width:%s">%s%s</figure>`, width, body, caption), nil
}

// watched tells whether a browser may be there to look at intermediate states.
func watched() bool { return gonbui.IsNotebook && os.Getenv(Headless) == "" }
