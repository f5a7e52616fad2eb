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

// Numbers of detections in the images of the page, and the bytes that all images may take.
const (
	shownCertain = 8  // detections of a sheet
	shownTaken   = 24 // crops of a sheet
	maxBytes     = 4 << 20
)

// picture is an image on the page.
type picture struct {
	Source        template.URL
	Width, Height int
	Caption       string
}

// addPictures draws the most and the least certain detections of each set and, for outlier sets,
// unknown objects that are taken for known ones. An image that cannot be drawn becomes a note.
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
			p.Notes = append(p.Notes, "A sheet of images is missing: "+escape.Line(err.Error()))
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

// encodings are tried in this order.
var encodings = []struct{ width, quality int }{{1200, 88}, {1200, 75}, {1000, 70}, {800, 65}, {600, 60}, {400, 50}}

// newPicture encodes a figure in at most the given number of bytes, or by the last of encodings.
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
