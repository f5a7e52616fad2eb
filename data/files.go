package data

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The largest annotation files that are read, in bytes: a table of a whole data set (the largest genuine one, of nuImages, has under
// 2 GiB), and the annotation of one picture.
const (
	maxTable = 4 << 30
	maxSheet = 16 << 20
)

// openText opens an annotation file of at most limit bytes and returns its size, 0 for a pipe.
func openText(path string, limit int64) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir() || info.Mode()&os.ModeDevice != 0:
		err = fmt.Errorf("%s: is a folder or a device, not an annotation file", path)
	case info.Size() > limit:
		err = tooLarge(path, limit)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// readText reads a file of at most limit bytes.
func readText(path string, limit int64) ([]byte, error) {
	f, size, err := openText(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := content.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	if int64(content.Len()) > limit {
		return nil, tooLarge(path, limit)
	}
	return content.Bytes(), nil
}

func tooLarge(path string, limit int64) error {
	return fmt.Errorf("%s: larger than %d bytes: this is no annotation file", path, limit)
}

// findPicture returns the path of the picture that an annotation file calls name, a path with slashes within dir. A name that leads out of
// dir is an error, so that a downloaded annotation file cannot make us open any other file.
func findPicture(dir, name string) (string, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", fmt.Errorf("the picture name %q leads out of the image folder %s: give a path inside it", name, dir)
	}
	path := filepath.Join(dir, local)
	if !isFile(path) {
		return "", fmt.Errorf("there is no picture %s: check IMAGES_DIR", path)
	}
	return path, nil
}

// isFile tells whether path is a regular file, or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// clipBox clips the box x0, y0, x1, y1 to a picture, if it sticks out by less than one pixel, as annotation tools that round
// make it; a box further outside, reversed or not finite is not ok.
func clipBox(box [4]float64, width, height int) (clipped [4]float64, ok bool) {
	const slack = 1 // pixels
	right, bottom := float64(width), float64(height)
	// Each comparison is false for NaN.
	if !(box[0] > -slack && box[1] > -slack && box[2] < right+slack && box[3] < bottom+slack && box[0] <= box[2] && box[1] <= box[3]) {
		return box, false
	}
	clip := func(v, limit float64) float64 { return min(max(v, 0), limit) }
	return [4]float64{clip(box[0], right), clip(box[1], bottom), clip(box[2], right), clip(box[3], bottom)}, true
}

// boxArea returns the area of a box in square pixels.
func boxArea(box [4]float64) float64 { return (box[2] - box[0]) * (box[3] - box[1]) }
