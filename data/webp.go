package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"golang.org/x/image/webp"
)

// firstWebPFrame decodes the first frame of an animation, which Go's decoder rejects, and returns
// the position of its upper left corner.
func firstWebPFrame(f io.ReadSeeker) (frame image.Image, corner image.Point, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, corner, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxPicturePixels))
	if err != nil {
		return nil, corner, err
	}
	const riff, chunkHead, frameHead = 12, 8, 16 // bytes
	for at := int64(riff); at+chunkHead <= int64(len(content)); {
		name, size := string(content[at:at+4]), int64(binary.LittleEndian.Uint32(content[at+4:]))
		at += chunkHead
		if at+size > int64(len(content)) {
			break
		}
		if name != "ANMF" || size < frameHead {
			at += size + size%2
			continue
		}
		body := content[at : at+size]
		number := func(i int) int { return int(body[i]) | int(body[i+1])<<8 | int(body[i+2])<<16 }
		picture := body[frameHead:]
		if bytes.HasPrefix(picture, []byte("ALPH")) { // transparency needs its own header: its flag, then width and height minus 1
			head := append([]byte("VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"), body[6:12]...)
			picture = append(head, picture...)
		}
		file := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(picture)+4))...)
		frame, err := webp.Decode(bytes.NewReader(append(append(file, "WEBP"...), picture...)))
		return frame, image.Pt(2*number(0), 2*number(3)), err
	}
	return nil, corner, errors.New("no frame")
}
