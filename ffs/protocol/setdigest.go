package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"ffslab/data"
)

// annotationsDigest is the SHA-256 of what is annotated in a set: its categories, images and objects.
func annotationsDigest(set *data.Dataset) string {
	all := sha256.New()
	for _, c := range set.Categories {
		fmt.Fprintf(all, "category %v %q %t\n", c.ID, c.Name, c.Absent)
	}
	for _, image := range set.Images {
		fmt.Fprintln(all, "image", image.ID, image.Width, image.Height)
		for _, o := range image.Instances {
			fmt.Fprintln(all, o.Category, o.Box, o.Area, o.Crowd)
		}
	}
	return hex.EncodeToString(all.Sum(nil))
}

// picturesDigest is the SHA-256 of what tells the pictures of a set apart without reading them, as describePictures writes it.
func picturesDigest(set *data.Dataset) string {
	all := sha256.New()
	describePictures(all, set)
	return hex.EncodeToString(all.Sum(nil))
}

// describePictures writes the id and size in pixels of all images, and the bytes and the modification time of their files, in whole seconds: what copies to other
// machines preserve. A file that cannot be looked at, and one of a generated set, has neither.
func describePictures(w io.Writer, set *data.Dataset) {
	for _, image := range set.Images {
		fmt.Fprint(w, image.ID, " ", image.Width, " ", image.Height)
		if image.Render == nil || set.ImagesDir != "" { // with a folder, a rendered image is a file that is altered
			if info, err := os.Stat(image.File); err == nil {
				fmt.Fprint(w, " ", info.Size(), " ", info.ModTime().Unix())
			}
		}
		fmt.Fprintln(w)
	}
}
