package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
)

// endOfPNG is the chunk that ends a PNG.
var endOfPNG = []byte("\x00\x00\x00\x00IEND\xaeB`\x82")

// decodeDamagedPNG decodes a file that lacks only its end, or whose compressed pixels are damaged;
// pixels after the damage are black.
func decodeDamagedPNG(content []byte) (image.Image, error) {
	const signature = 8 // bytes
	if len(content) < signature {
		return nil, io.ErrUnexpectedEOF
	}
	out := bytes.NewBuffer(bytes.Clone(content[:signature]))
	var header, packed []byte
	ended := false
	for rest := content[signature:]; len(rest) > 0; {
		name, body, next, ok := chunk(rest)
		if !ok {
			ended = len(rest) > 8 && !isChunkName(rest[4:8]) // damage rather than truncation
			break
		}
		switch rest = next; name {
		case "IDAT":
			packed = append(packed, body...)
			continue
		case "IEND":
			ended, rest = true, nil
			continue
		case "IHDR":
			header = body
		}
		putChunk(out, name, body)
	}
	if !ended { // use every complete chunk as it is
		putChunk(out, "IDAT", packed)
	} else {
		pixels, err := unpackDamaged(header, packed)
		if err != nil {
			return nil, err
		}
		putChunk(out, "IDAT", pixels)
	}
	out.Write(endOfPNG)
	return png.Decode(out)
}

// chunk splits off the first chunk. ok is false if it is truncated.
func chunk(rest []byte) (name string, body, next []byte, ok bool) {
	const frame = 12 // bytes: length, name, checksum
	if len(rest) < frame {
		return "", nil, nil, false
	}
	length := int64(binary.BigEndian.Uint32(rest))
	if length > int64(len(rest)-frame) {
		return "", nil, nil, false
	}
	return string(rest[4:8]), rest[8 : 8+length], rest[frame+length:], true
}

// isChunkName reports whether the four bytes are letters.
func isChunkName(name []byte) bool {
	return !bytes.ContainsFunc(name, func(c rune) bool { return c|0x20 < 'a' || c|0x20 > 'z' })
}

func putChunk(out *bytes.Buffer, name string, body []byte) {
	out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body))))
	named := append([]byte(name), body...)
	out.Write(named)
	out.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(named)))
}

// unpackDamaged returns the compressed pixels of a picture, with black ones from where they cannot
// be decompressed.
func unpackDamaged(header, packed []byte) ([]byte, error) {
	const size = 13
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
	if len(header) != size || header[12] != 0 || channels[header[9]] == 0 {
		return nil, errors.New("damaged and interlaced")
	}
	width, height := int(binary.BigEndian.Uint32(header)), int(binary.BigEndian.Uint32(header[4:]))
	row := 1 + (width*channels[header[9]]*int(header[8])+7)/8 // the filter's number, then the pixels
	raw := make([]byte, row*height)
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	if n, _ := io.ReadFull(r, raw); n < row {
		return nil, io.ErrUnexpectedEOF
	}
	const filters = 5
	for i := 0; i < len(raw); i += row {
		if raw[i] >= filters {
			clear(raw[i:])
		}
	}
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
