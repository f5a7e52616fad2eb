package report

import (
	"encoding/base64"
	"errors"
	"html/template"

	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/viz"
	"ffslab/viz/escape"
)

// What the pictures hold, and how many bytes all of them may take in the page.
const (
	shownCertain = 8  // detections of a sheet
	shownTaken   = 24 // crops of a sheet
	maxBytes     = 4 << 20
)

// picture is a sheet of the page.
type picture struct {
	Source        template.URL
	Width, Height int
	Caption       string
}

// addPictures draws, for each set, the detections that the detector is most and least certain of,
// and for outlier sets the unknown objects that are taken for known ones. What cannot be drawn
// becomes a note.
func (p *page) addPictures(e *protocol.Evaluation) error {
	e = few(e)
	var draws []func() (*viz.Figure, error)
	for i := range e.Sets {
		draws = append(draws,
			func() (*viz.Figure, error) { return pictures.Certain(e, i, shownCertain, false) },
			func() (*viz.Figure, error) { return pictures.Certain(e, i, shownCertain, true) })
		if i > 0 {
			draws = append(draws, func() (*viz.Figure, error) { return pictures.TakenForKnown(e, i, shownTaken) })
		}
	}
	for _, draw := range draws {
		figure, err := draw()
		if errors.Is(err, viz.ErrNothing) {
			continue
		}
		if err != nil {
			p.Notes = append(p.Notes, "A sheet of pictures is missing: "+escape.Line(err.Error()))
			continue
		}
		sheet, err := newPicture(figure, maxBytes/len(draws))
		if err != nil {
			return err
		}
		p.Pictures = append(p.Pictures, sheet)
	}
	return nil
}

// encodings are tried until one fits.
var encodings = []struct{ width, quality int }{{1200, 88}, {1200, 75}, {1000, 70}, {800, 65}, {600, 60}, {400, 50}}

// newPicture encodes the figure's pixels in at most so many bytes of the page, as far as the last
// of encodings can.
func newPicture(figure *viz.Figure, most int) (picture, error) {
	p := picture{Caption: escape.Line(figure.Caption)}
	for _, encoding := range encodings {
		photo, size, err := figure.JPEG(encoding.width, encoding.quality)
		if err != nil {
			return p, err
		}
		p.Width, p.Height = size.X, size.Y
		p.Source = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(photo))
		if len(p.Source) <= most {
			break
		}
	}
	return p, nil
}
