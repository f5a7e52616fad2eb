package cli

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/data/wholefile"
	"ffslab/ffs/protocol/pictures"
	"ffslab/viz"
	"ffslab/viz/escape"
)

// maxShown is the largest number of pictures on a contact sheet.
const maxShown = 200

// sheetWidth is the width of the widest contact sheet in pixels. Pictures are drawn at twice their
// size on it, since all of them are held at once.
const sheetWidth = 1600

func newDataShow() *cobra.Command {
	var (
		opt        data.Options
		out, class string
		n, columns int
		seed       uint64
		corruption func() (corrupt.Choice, error)
	)
	cmd := &cobra.Command{
		Use:   "show SPEC --out SHEET.png",
		Short: "Draw pictures of a data set with their objects on a contact sheet",
		Long: `Draw random pictures of a data set with their annotated objects on a contact
sheet. Crowd regions are labelled. Pictures are shown as the networks see them:
upright by their EXIF orientation, and corrupted as by "ffs eval" with the same
--corruption-level and --corruption, which the captions name.`,
		Example: `  ffs data show digits:val --out digits.png
  ffs data show voc:VOCdevkit/VOC2007,test --class person -n 20 --columns 5 --out persons.png
  ffs data show digits:val --corruption snow --corruption-level 4 --out snow.png`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if n < 1 || n > maxShown || columns < 1 {
				return fmt.Errorf("-n %d, --columns %d: give -n from 1 to %d and --columns from 1", n, columns, maxShown)
			}
			damage, err := corruption()
			if err != nil {
				return err
			}
			set, err := openSet(args[0], opt)
			if err != nil {
				return err
			}
			if err := spareInputs([]string{out}, set); err != nil {
				return err
			}
			picked, err := pick(set, class, n, seed)
			if err != nil {
				return err
			}
			if set, err = damage.Dataset(set); err != nil {
				return err
			}
			shots := make([]viz.Shot, len(picked))
			for i, index := range picked {
				im := &set.Images[index]
				view, err := im.View(2 * sheetWidth / max(columns, 2))
				if err != nil {
					return err
				}
				boxes := pictures.Truth(set, index)
				for j, o := range im.Instances {
					if o.Crowd {
						boxes[j].Label += " (crowd)"
					}
				}
				if len(boxes) > viz.MaxBoxes {
					escape.Fprintf(os.Stderr, "note: %s: %d of %d objects are drawn\n", im.File, viz.MaxBoxes, len(boxes))
				}
				shots[i] = viz.Shot{Image: view, Boxes: boxes, Caption: filepath.Base(im.File)}
				if name := damage.At(index); name != "" {
					shots[i].Caption += " " + name
				}
			}
			sheet, err := viz.DetectionSheet(shots, columns)
			if err != nil {
				return err
			}
			png, err := sheet.PNG()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
				return err
			}
			err = wholefile.Write(out, 0o644, func(to io.Writer) error {
				_, err := to.Write(png)
				return err
			})
			if err != nil {
				return err
			}
			escape.Fprintf(os.Stdout, "%s: %d of %d images\n", out, len(picked), len(set.Images))
			return nil
		},
	}
	datasetDirFlag(cmd, &opt)
	readingFlags(cmd, &opt)
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "PNG file to write, for example sheet.png")
	flags.IntVarP(&n, "number", "n", 12, "number of pictures, at most 200")
	flags.IntVar(&columns, "columns", 4, "pictures in a row")
	flags.StringVar(&class, "class", "", "draw only pictures with an object of this class, for example person")
	flags.Uint64Var(&seed, "seed", 0, "seed of the choice of pictures")
	corruption = corruptionFlags(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

// pick picks up to n random images, with an object of class unless that is empty, and returns their
// indices in ascending order.
func pick(set *data.Dataset, class string, n int, seed uint64) ([]int, error) {
	category := slices.Index(set.ClassNames(), class)
	if class != "" && category < 0 {
		return nil, fmt.Errorf("%s has no class %q: its classes are %s", set.Name, class, strings.Join(set.ClassNames(), ", "))
	}
	var images []int
	for i, im := range set.Images {
		if class == "" || slices.ContainsFunc(im.Instances, func(o data.Instance) bool { return o.Category == category }) {
			images = append(images, i)
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%s has no image with an object of class %q", set.Name, class)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
	images = images[:min(n, len(images))]
	slices.Sort(images)
	return images, nil
}
