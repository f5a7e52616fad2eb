package data

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

// decodeDamaged decodes a file that gave an error, as far as that makes sense: like Pillow, it accepts damage inside the scan of a JPEG, from which on the
// picture is filled in, and a file that lacks nothing but its end, and refuses one that is cut short. Go's decoders return no part of a picture, so they
// are given a file that they accept.
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
		img, err = png.Decode(io.MultiReader(bytes.NewReader(wholeChunks(content)), bytes.NewReader(endOfPNG)))
	} else {
		img, err = decodeDamagedJPEG(content)
	}
	if err != nil {
		return nil, cause
	}
	return img, nil
}

// endOfPNG is the chunk that ends a PNG.
var endOfPNG = []byte("\x00\x00\x00\x00IEND\xaeB`\x82")

// wholeChunks returns a PNG file up to the end of its last chunk that is whole and not the end.
func wholeChunks(content []byte) []byte {
	const signature, frame = 8, 12 // bytes; a chunk's length, name and checksum
	at := signature
	for at+frame <= len(content) {
		next := at + frame + int(binary.BigEndian.Uint32(content[at:]))
		if next > len(content) || string(content[at+4:at+8]) == "IEND" {
			break
		}
		at = next
	}
	return content[:min(at, len(content))]
}

// Markers of JPEG.
var (
	endOfImage  = []byte{0xff, 0xd9}
	startOfScan = []byte{0xff, 0xda}
)

func decodeDamagedJPEG(content []byte) (image.Image, error) {
	// One byte at a time shows how far the decoder has come.
	slow := &byteReader{content: content}
	_, cause := jpeg.Decode(slow)
	first := bytes.Index(content, startOfScan)
	scan := bytes.LastIndex(content[:slow.at], startOfScan)
	if cause == nil || scan < 0 {
		return nil, cause
	}
	if !bytes.Contains(content[scan:], endOfImage) {
		return jpeg.Decode(io.MultiReader(bytes.NewReader(content), bytes.NewReader(endOfImage)))
	}
	if scan > first { // a later scan refines the picture: it ends before the damaged one
		if img, err := jpeg.Decode(io.MultiReader(bytes.NewReader(content[:scan]), bytes.NewReader(endOfImage))); err == nil {
			return img, nil
		}
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, cause
	}
	for _, back := range []int{8, 32, 128, 1024} { // the fault is met some bits behind its cause
		cut := slow.at - back
		if cut <= scan+len(startOfScan) {
			break
		}
		for content[cut-1] == 0xff {
			cut--
		}
		// Zero bits are a code of every table. No coefficient takes more than 4 bytes, no pixel more than 4 coefficients.
		filler := io.LimitReader(zeros{}, 16*int64(config.Width+64)*int64(config.Height+64))
		if img, err := jpeg.Decode(io.MultiReader(bytes.NewReader(content[:cut]), filler, bytes.NewReader(endOfImage))); err == nil {
			return img, nil
		}
	}
	return nil, cause
}

// byteReader hands out one byte in each call.
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

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
