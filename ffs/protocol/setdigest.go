package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"ffslab/data"
)

// annotationsDigest returns the SHA-256 of the categories, images and objects of a set.
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

// picturesDigest returns the SHA-256 of what describePictures writes.
func picturesDigest(set *data.Dataset) string {
	all := sha256.New()
	describePictures(all, set)
	return hex.EncodeToString(all.Sum(nil))
}

// describePictures writes what identifies the images of a set without reading them: id and size in
// pixels, and the size in bytes and modification time of the file, in whole seconds, which copies
// to other machines preserve. Images of generated sets and unreadable files have no size and time.
func describePictures(w io.Writer, set *data.Dataset) {
	for _, image := range set.Images {
		fmt.Fprint(w, image.ID, " ", image.Width, " ", image.Height)
		if image.Render == nil || set.ImagesDir != "" { // in a set with a folder, Render alters a file
			if info, err := os.Stat(image.File); err == nil {
				fmt.Fprint(w, " ", info.Size(), " ", info.ModTime().Unix())
			}
		}
		fmt.Fprintln(w)
	}
}
