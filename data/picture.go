package data

import (
	"fmt"
	"image"
	"io"
	"os"

	"github.com/bep/imagemeta"
)

// maxPicturePixels is the largest picture that is decoded: Pillow's limit, too. A file of a few kilobytes can claim any size.
const maxPicturePixels = 178_956_970

// ReadFile decodes a JPEG or PNG file of any colour model: grey, CMYK, with a palette, with transparency, 8 or 16 bits deep (the high
// byte counts). As in detectron2 the picture is turned the way its EXIF orientation says. The error names the file.
func ReadFile(path string) (*Pixels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	header, err := readHeader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	release, err := pictures.read(path, header.height, header.width)
	if err != nil {
		return nil, err
	}
	defer release()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, damaged(err))
	}
	return orient(FromImage(img), header.orientation), nil
}

// ReadSize returns the size that [ReadFile] gives the picture, from the file's header alone. The error names the file.
func ReadSize(path string) (height, width int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	header, err := readHeader(f)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	if header.orientation >= 5 {
		return header.width, header.height, nil
	}
	return header.height, header.width, nil
}

func damaged(err error) error {
	return fmt.Errorf("cannot be decoded (%w): the file is damaged, cut short or neither JPEG nor PNG", err)
}

// pictureHeader is what a file says of its picture: the size as stored, and how it is to be turned.
type pictureHeader struct {
	height, width int
	orientation   int // EXIF: 1 to 8
}

// readHeader reads the header and goes back to the file's beginning.
func readHeader(f io.ReadSeeker) (pictureHeader, error) {
	config, format, err := image.DecodeConfig(f)
	if err != nil {
		return pictureHeader{}, damaged(err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPicturePixels/config.Height {
		return pictureHeader{}, fmt.Errorf("a picture of %dx%d pixels (width x height) is not read: at most %d pixels are", config.Width, config.Height, maxPicturePixels)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return pictureHeader{}, err
	}
	header := pictureHeader{config.Height, config.Width, readOrientation(f, format)}
	_, err = f.Seek(0, io.SeekStart)
	return header, err
}

// readOrientation returns the EXIF orientation, 1 to 8; 1 also where there is none, or where damage hides it: it says nothing of the pixels.
func readOrientation(f io.ReadSeeker, format string) int {
	kinds := map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG}
	found := 1
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: f, ImageFormat: kinds[format], Sources: imagemeta.EXIF,
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

// orient turns a stored picture upright. The result may be p itself.
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
