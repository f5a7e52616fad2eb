package data_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
)

// exif is a block that says nothing but the orientation, in the byte order of Motorola.
func exif(orientation int) []byte {
	return []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0, 0, 0, 0, 0}
}

// jpegSegment inserts a segment after the beginning of a JPEG file.
func jpegSegment(file []byte, marker byte, content []byte) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2))
	return append(append(append(bytes.Clone(file[:2]), segment...), content...), file[2:]...)
}

// pngChunk inserts a chunk after the header of a PNG file.
func pngChunk(file []byte, kind string, content []byte) []byte {
	const header = 8 + 25
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	chunk = append(append(chunk, kind...), content...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return append(append(bytes.Clone(file[:header]), chunk...), file[header:]...)
}

func TestOrientation(t *testing.T) {
	const h, w = 5, 3 // of the upright picture
	// By EXIF's definition: on which side of the upright picture the first stored row and the first
	// stored column lie.
	sides := [][2]string{1: {"top", "left"}, {"top", "right"}, {"bottom", "right"}, {"bottom", "left"}, {"left", "top"}, {"right", "top"}, {"right", "bottom"}, {"left", "bottom"}}
	for orientation := 1; orientation <= 8; orientation++ {
		rows, columns := h, w
		if orientation >= 5 {
			rows, columns = w, h
		}
		stored := image.NewGray(image.Rect(0, 0, columns, rows))
		for r := range rows {
			for c := range columns {
				var y, x int
				for i, side := range sides[orientation] {
					at := []int{r, c}[i]
					switch side {
					case "top":
						y = at
					case "bottom":
						y = h - 1 - at
					case "left":
						x = at
					case "right":
						x = w - 1 - at
					}
				}
				stored.SetGray(c, r, color.Gray{Y: uint8(10*y + x)})
			}
		}
		path := filepath.Join(t.TempDir(), "turned.png")
		write(t, path, pngChunk(encodePNG(t, stored), "eXIf", exif(orientation)))
		if height, width, err := data.ReadSize(path); err != nil || height != h || width != w {
			t.Errorf("orientation %d: size %dx%d (height x width), error %v, want %dx%d", orientation, height, width, err, h, w)
		}
		p, err := (&data.Image{File: path, Height: h, Width: w}).Decode()
		if err != nil {
			t.Errorf("orientation %d: %v", orientation, err)
			continue
		}
		for y := range h {
			for x := range w {
				if got := p.Data[3*(y*w+x)]; got != uint8(10*y+x) {
					t.Fatalf("orientation %d: pixel (%d, %d) is %d, want %d", orientation, y, x, got, 10*y+x)
				}
			}
		}
	}
}

func TestOrientationOfJPEG(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 32, 16))
	for i := range img.Pix {
		if i%32 < 16 {
			img.Pix[i] = 200 // the left half, as stored
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	turned := jpegSegment(file.Bytes(), 0xe1, append([]byte("Exif\x00\x00"), exif(6)...))
	dir := t.TempDir()
	path := filepath.Join(dir, "turned.jpg")
	write(t, path, turned)
	p, err := data.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Turned clockwise by a quarter, left comes to the top.
	if p.Height != 32 || p.Width != 16 || p.Data[0] < 190 || p.Data[len(p.Data)-1] > 10 {
		t.Errorf("%dx%d, first pixel %d, last %d; want 32x16, about 200 and 0", p.Height, p.Width, p.Data[0], p.Data[len(p.Data)-1])
	}
	// Annotations that were made on the stored picture do not fit, and the message says why.
	if _, err := (&data.Image{File: path, Height: 16, Width: 32}).Decode(); err == nil || !strings.Contains(err.Error(), "EXIF orientation") {
		t.Errorf("the stored size gave the error %v", err)
	}
	damaged := filepath.Join(dir, "damaged.jpg")
	write(t, damaged, jpegSegment(file.Bytes(), 0xe1, append([]byte("Exif\x00\x00"), exif(6)[:9]...)))
	if p, err := data.ReadFile(damaged); err != nil || p.Height != 16 {
		t.Errorf("damaged EXIF: %v; it counts as none", err)
	}
}

// cmykJPEG is a JPEG file of one colour in four inks, each with a scan of its own. As Adobe's
// programs write them, 255 is no ink.
func cmykJPEG(t *testing.T, inks [4]uint8) []byte {
	t.Helper()
	segment := func(marker byte, content ...byte) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2)), content...)
	}
	out := append([]byte{0xff, 0xd8}, segment(0xee, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, 0)...)...)
	frame := []byte{8, 0, 16, 0, 16, 4}
	for i := range inks {
		frame = append(frame, byte(i+1), 0x11, 0)
	}
	for i, ink := range inks {
		plane := image.NewGray(image.Rect(0, 0, 16, 16))
		for j := range plane.Pix {
			plane.Pix[j] = 255 - ink
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, plane, &jpeg.Options{Quality: 100}); err != nil {
			t.Fatal(err)
		}
		// Of the grey file keep the tables once, and the scan under this ink's number.
		for rest := file.Bytes()[2:]; ; {
			marker, size := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
			body := rest[4 : 2+size]
			if (marker == 0xdb || marker == 0xc4) && i == 0 {
				out = append(out, segment(marker, body...)...)
			}
			rest = rest[2+size:]
			if marker == 0xda {
				if i == 0 {
					out = append(out, segment(0xc0, frame...)...)
				}
				out = append(out, segment(0xda, 1, byte(i+1), 0, 0, 63, 0)...)
				out = append(out, rest[:len(rest)-2]...)
				break
			}
		}
	}
	return append(out, 0xff, 0xd9)
}

func TestColourModels(t *testing.T) {
	box := image.Rect(0, 0, 8, 8)
	rgba64, nrgba64 := image.NewRGBA64(box), image.NewNRGBA64(box)
	transparent := image.NewNRGBA(box)
	for y := range 8 {
		for x := range 8 {
			rgba64.Set(x, y, color.RGBA64{R: 0xc8ff, G: 0x64ff, B: 0x32ff, A: 0xffff})
			nrgba64.Set(x, y, color.NRGBA64{R: 0xc8ff, G: 0x64ff, B: 0x32ff, A: 0})
			transparent.Set(x, y, color.NRGBA{R: 200, G: 100, B: 50})
		}
	}
	cases := []struct {
		name    string
		content []byte
		off     int // how far a channel may be off
	}{
		{"16 bits", encodePNG(t, rgba64), 0},
		{"16 bits, transparent", encodePNG(t, nrgba64), 0}, // the stored colour counts
		{"transparent", encodePNG(t, transparent), 0},
		{"CMYK", cmykJPEG(t, [4]uint8{55, 155, 205, 0}), 2},
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "picture")
		write(t, path, c.content)
		p, err := data.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, want := range []int{50, 100, 200} {
			if got := int(p.Data[len(p.Data)-3+i]); max(got-want, want-got) > c.off {
				t.Errorf("%s: last pixel %v (BGR), want 50, 100, 200", c.name, p.Data[len(p.Data)-3:])
				break
			}
		}
	}
}

// A file of a few bytes that claims a picture of tens of gigabytes is refused before memory is
// taken for it.
func TestHugePicture(t *testing.T) {
	file := encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(file[16:], 200_000)
	binary.BigEndian.PutUint32(file[20:], 200_000)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	path := filepath.Join(t.TempDir(), "huge.png")
	write(t, path, file)
	if _, err := data.ReadFile(path); err == nil || !strings.Contains(err.Error(), "200000x200000 pixels") {
		t.Errorf("error %v", err)
	}
}
