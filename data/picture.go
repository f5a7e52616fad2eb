package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // register the format
	"io"
	"os"

	"github.com/bep/imagemeta"
	_ "golang.org/x/image/bmp"  // register the format
	_ "golang.org/x/image/tiff" // register the format
	_ "golang.org/x/image/webp" // register the format
)

// maxPicturePixels is the largest picture that is decoded, as in Pillow. A file of a few kilobytes
// can claim any size.
const maxPicturePixels = 178_956_970

// ReadFile decodes a picture file: JPEG, PNG, WebP, BMP, TIFF or GIF, detected by its content. It
// returns the first frame of an animation. Pictures may be grey, CMYK, with a palette, with
// transparency, or 8 or 16 bits deep, of which it keeps the high byte. A JPEG with a damaged scan,
// or without its end marker, is read as far as possible; a truncated one is an error. As in
// detectron2 the picture is turned as its EXIF orientation says. The error names the file.
func ReadFile(path string) (*Pixels, error) {
	p, _, err := readPicture(path)
	return p, err
}

// readPicture decodes a file; damaged reports whether parts of it are lost.
func readPicture(path string) (p *Pixels, damaged bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	header, err := readHeader(f)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	release, err := pictures.read(path, header.height, header.width)
	if err != nil {
		return nil, false, err
	}
	defer release()
	img, _, err := image.Decode(bufio.NewReaderSize(f, 1<<16))
	var corner image.Point // of the first frame of an animation
	switch {
	case err == nil && header.format == "gif":
		corner = img.Bounds().Min
	case err != nil && header.format == "webp":
		if frame, at, frameErr := firstWebPFrame(f); frameErr == nil {
			img, corner, err = frame, at, nil
		}
	case err != nil:
		img, err = decodeDamaged(f, header.format, err)
		damaged = err == nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", path, unreadable(f, err))
	}
	return orient(header.pixels(img, corner), header.orientation), damaged, nil
}

// pixels copies a decoded picture; corner is its position if it is a frame of an animation.
func (h storedHeader) pixels(img image.Image, corner image.Point) *Pixels {
	frame := h.frame(img)
	if frame.Width == h.width && frame.Height == h.height && corner == (image.Point{}) {
		return frame
	}
	out := NewPixels(h.height, h.width)
	box := image.Rect(0, 0, frame.Width, frame.Height).Add(corner)
	shown := box.Intersect(image.Rect(0, 0, h.width, h.height))
	for y := shown.Min.Y; y < shown.Max.Y; y++ {
		from := frame.Data[3*((y-box.Min.Y)*frame.Width+shown.Min.X-box.Min.X):]
		copy(out.Data[3*(y*h.width+shown.Min.X):][:3*shown.Dx()], from)
	}
	return out
}

// frame copies an image with the colours of its format.
func (h storedHeader) frame(img image.Image) *Pixels {
	if h.format != "webp" {
		return FromImage(img)
	}
	if transparent, ok := img.(*image.NYCbCrA); ok {
		img = &transparent.YCbCr
	}
	lossy, ok := img.(*image.YCbCr)
	if !ok {
		return FromImage(img)
	}
	out := NewPixels(lossy.Rect.Dy(), lossy.Rect.Dx())
	putWebP(out, lossy)
	return out
}

// storedHeader holds the size of a picture as stored, and its orientation.
type storedHeader struct {
	format        string
	height, width int
	orientation   int // EXIF: 1 to 8
}

// upright returns the size of the picture after it is turned.
func (h storedHeader) upright() (height, width int) {
	if h.orientation >= 5 {
		return h.width, h.height
	}
	return h.height, h.width
}

// readHeader reads the header and returns to the beginning of the file.
func readHeader(f io.ReadSeeker) (storedHeader, error) {
	config, format, err := image.DecodeConfig(bufio.NewReaderSize(f, 1<<12))
	if err != nil {
		return storedHeader{}, unreadable(f, err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPicturePixels/config.Height {
		return storedHeader{}, fmt.Errorf("a picture of %dx%d pixels (width x height) is not read: at most %d pixels are", config.Width, config.Height, maxPicturePixels)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return storedHeader{}, err
	}
	header := storedHeader{format, config.Height, config.Width, readOrientation(f, format)}
	_, err = f.Seek(0, io.SeekStart)
	return header, err
}

// unreadable says what a file is instead of a picture.
func unreadable(f io.ReadSeeker, err error) error {
	begin := make([]byte, 512)
	if _, seekErr := f.Seek(0, io.SeekStart); seekErr != nil {
		return err
	}
	n, _ := io.ReadFull(f, begin)
	begin = bytes.ToLower(bytes.TrimSpace(begin[:n]))
	switch {
	case n == 0:
		return errors.New("the file is empty: copy or download it again")
	case bytes.HasPrefix(begin, []byte("<!doctype html")), bytes.HasPrefix(begin, []byte("<html")):
		return errors.New("the file is a web page in the place of a picture: download it again")
	case bytes.HasPrefix(begin, []byte("version https://git-lfs")):
		return errors.New("the file is a Git-LFS pointer in the place of a picture: fetch it (git lfs pull)")
	case bytes.HasPrefix(begin, []byte("<?xml")), bytes.HasPrefix(begin, []byte("<svg")):
		return errors.New("the file is XML in the place of a picture (SVG is not read)")
	case errors.Is(err, image.ErrFormat):
		return errors.New("the file is none of JPEG, PNG, WebP, BMP, GIF and TIFF, or its beginning is damaged")
	}
	return fmt.Errorf("cannot be decoded (%w): the file is damaged or cut short", err)
}

// readOrientation returns the EXIF orientation, 1 to 8; 1 if there is none, or if it is damaged.
func readOrientation(f io.ReadSeeker, format string) int {
	kinds := map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "tiff": imagemeta.TIFF, "webp": imagemeta.WebP}
	kind, known := kinds[format]
	if !known {
		return 1
	}
	found := 1
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: f, ImageFormat: kind, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Namespace == "IFD0" && tag.Tag == "Orientation" },
		HandleTag: func(tag imagemeta.TagInfo) error {
			if v, ok := tag.Value.(uint16); ok && v >= 1 && v <= 8 {
				found = int(v)
			}
			return imagemeta.ErrStopWalking
		},
		Warnf: func(string, ...any) {},
	})
	return found
}

// orient turns a stored picture upright. It may return p itself.
func orient(p *Pixels, orientation int) *Pixels {
	h, w := p.Height, p.Width
	// Pixel (y, x) of the upright picture is the stored pixel start + y*down + x*right.
	var start, down, right int
	switch orientation {
	case 2: // mirrored
		start, down, right = w-1, w, -1
	case 3: // upside down
		start, down, right = h*w-1, -w, -1
	case 4: // mirrored and upside down
		start, down, right = (h-1)*w, -w, 1
	case 5: // transposed
		start, down, right = 0, 1, w
	case 6: // its top is at the right: turned counter-clockwise when stored
		start, down, right = (h-1)*w, 1, -w
	case 7: // transposed along the other diagonal
		start, down, right = h*w-1, -1, -w
	case 8: // its top is at the left
		start, down, right = w-1, -1, w
	default:
		return p
	}
	if orientation >= 5 {
		h, w = w, h
	}
	out := NewPixels(h, w)
	for y := range h {
		row := out.Data[3*y*w:][:3*w]
		for x := range w {
			from := 3 * (start + y*down + x*right)
			row[3*x], row[3*x+1], row[3*x+2] = p.Data[from], p.Data[from+1], p.Data[from+2]
		}
	}
	return out
}
