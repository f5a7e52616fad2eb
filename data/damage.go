package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"slices"
)

// decodeDamaged decodes a file that gave an error, as far as Pillow would: it accepts damage inside
// the compressed pixels, after which the picture is filled, and a file that lacks only its end, but
// not a file that is truncated. Go's decoders return no partial picture, so decodeDamaged repairs
// the file for them.
func decodeDamaged(f io.ReadSeeker, format string, cause error) (image.Image, error) {
	if format != "jpeg" && format != "png" {
		return nil, cause
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxPicturePixels))
	if err != nil {
		return nil, err
	}
	var img image.Image
	if format == "png" {
		img, err = decodeDamagedPNG(content)
	} else {
		img, err = decodeDamagedJPEG(content)
	}
	if err != nil {
		return nil, cause
	}
	return img, nil
}

// Markers of JPEG.
var (
	endOfImage  = []byte{0xff, 0xd9}
	startOfScan = []byte{0xff, 0xda}
)

// decodeDamagedJPEG decodes a file after replacing the damaged parts of its scans by zeros, which
// are codes of every table: up to the next restart marker, if the file has any, or else to the end.
func decodeDamagedJPEG(content []byte) (image.Image, error) {
	const most = 64 // damaged parts to repair
	config, err := jpeg.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	first := bytes.Index(content, startOfScan)
	for range most {
		slow := &byteReader{content: content} // shows how far the decoder has read
		img, cause := jpeg.Decode(slow)
		if cause == nil {
			return img, nil
		}
		scan := bytes.LastIndex(content[:slow.at], startOfScan)
		switch {
		case scan < 0:
			return nil, cause
		case !bytes.Contains(content[scan:], endOfImage):
			return jpeg.Decode(io.MultiReader(bytes.NewReader(content), bytes.NewReader(endOfImage)))
		case scan > first: // a later scan refines the picture, which ends before it
			content = append(bytes.Clone(content[:scan]), endOfImage...)
			continue
		}
		cut := max(slow.at-12, scan+len(startOfScan)+12) // the decoder notices a fault some bits after it
		if cut >= len(content) {
			return nil, cause
		}
		for content[cut-1] == 0xff {
			cut--
		}
		// No coefficient takes more than 4 bytes; 6 blocks of 64 are a usual unit, 10 the largest.
		const unit = 10 * 64 * 4
		units := (config.Width/8 + 1) * (config.Height/8 + 1)
		rest := endOfImage
		if interval, next := restart(content, slow.at); next > 0 {
			units, rest = min(units, interval), content[next:]
		}
		content = slices.Concat(content[:cut], make([]byte, unit*units), rest)
	}
	return nil, errors.New("too many damaged places")
}

// restart returns the number of units between restart markers, and the position of the first marker
// after a position; 0 if there is none.
func restart(content []byte, at int) (interval, next int) {
	defined := bytes.Index(content, []byte{0xff, 0xdd, 0, 4})
	if defined < 0 || defined+6 > len(content) {
		return 0, 0
	}
	interval = int(binary.BigEndian.Uint16(content[defined+4:]))
	for i := max(at-2, 0); i+1 < len(content) && interval > 0; i++ {
		if content[i] == 0xff && content[i+1] >= 0xd0 && content[i+1] <= 0xd7 {
			return interval, i
		}
	}
	return 0, 0
}

// byteReader returns one byte in each call.
type byteReader struct {
	content []byte
	at      int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.at == len(r.content) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = r.content[r.at]
	r.at++
	return 1, nil
}
