package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NamedSet is a data set that users of FFS, VOS and STUD know by name, in the layout that their
// code expects under a root. All paths are relative to the root and have slashes.
type NamedSet struct {
	Name        string
	About       string // one line
	Annotations string // the prepared COCO file
	Images      string // folder of its pictures

	published []published // read if the prepared file is missing
	remedy    string      // command that makes the set; %s is the root
}

// published is an original form of a set, read if the file or folder clue exists.
type published struct {
	clue string
	open func(root string, opt Options) (*Dataset, error)
}

// Named returns the data sets that [Open] knows by name.
func Named() []NamedSet { return slices.Clone(named) }

var named = []NamedSet{
	{
		Name: "voc_custom_train", About: "PASCAL VOC 2007 + 2012 trainval, 20 inlier classes",
		Annotations: "voc0712_train_all.json", Images: "JPEGImages",
		published: devkit("VOC2007,trainval", "VOC2012,trainval"),
	},
	{
		Name: "voc_custom_val", About: "PASCAL VOC 2007 test, 20 inlier classes",
		Annotations: "val_coco_format.json", Images: "JPEGImages",
		published: devkit("VOC2007,test"),
	},
	{
		Name: "coco_ood_val", About: "COCO val2017 without VOC's classes: outliers",
		Annotations: "annotations/instances_val2017_ood_rm_overlap.json", Images: "val2017",
		remedy: "ffs data split coco_2017_val_custom@%s --inlier voc --out DIR",
	},
	{
		Name: "coco_2017_train_custom", About: "COCO train2017",
		Annotations: "annotations/instances_train2017.json", Images: "train2017",
	},
	{
		Name: "coco_2017_val_custom", About: "COCO val2017",
		Annotations: "annotations/instances_val2017.json", Images: "val2017",
	},
	{
		Name: "coco_2017_val_ood_wrt_bdd", About: "COCO val2017 without BDD100K's classes: outliers",
		Annotations: "annotations/instances_val2017_ood_wrt_bdd.json", Images: "val2017",
		remedy: "ffs data split coco_2017_val_custom@%s --inlier bdd100k --out DIR",
	},
	{
		Name: "openimages_ood_val", About: "Open Images without VOC's classes: outliers",
		Annotations: "ood_classes_rm_overlap/COCO-Format/val_coco_format.json", Images: "ood_classes_rm_overlap/images",
		remedy: "ffs data split openimages:BOXES.csv,CLASSES.csv,IMAGES_DIR --inlier voc --out DIR",
	},
	{
		Name: "bdd_tracking_2k_train", About: "BDD100K training videos, 8 inlier classes",
		Annotations: "labels/track/bdd100k_det_train_coco.json", Images: "images/track/train",
		published: []published{scalabel("labels/box_track_20/train", "images/track/train"), scalabel("labels/det_20/det_train.json", "images/100k/train")},
	},
	{
		Name: "bdd_tracking_2k_val", About: "BDD100K validation videos, 8 inlier classes",
		Annotations: "labels/track/bdd100k_det_val_coco.json", Images: "images/track/val",
		published: []published{scalabel("labels/box_track_20/val", "images/track/val"), scalabel("labels/det_20/det_val.json", "images/100k/val")},
	},
	{
		Name: "nu_bdd_ood", About: "nuImages validation without BDD100K's classes: outliers",
		Annotations: "nu_ood.json", Images: ".",
		published: []published{{"v1.0-val", nuImagesOutliers}},
	},
	{
		Name: "vis21_train", About: "YouTube-VIS 2021, the first 80 % of the training videos, 40 inlier classes",
		Annotations: "train/instances_train.json", Images: "train/JPEGImages",
		published: youTubeVIS(VISTrain),
	},
	{
		Name: "vis21_val", About: "YouTube-VIS 2021, the other 20 % of the training videos, 40 inlier classes",
		Annotations: "train/instances_val.json", Images: "train/JPEGImages",
		published: youTubeVIS(VISVal),
	},
	{
		Name: "vis_coco_ood", About: "COCO without YouTube-VIS's classes: outliers",
		Annotations: "annotations/instances_val2017_ood_wrt_vis.json", Images: "train2017",
		remedy: "ffs data split coco_2017_train_custom@%s --inlier youtube-vis --not-inlier mouse --out DIR",
	},
}

func findNamed(name string) (NamedSet, bool) {
	i := slices.IndexFunc(named, func(s NamedSet) bool { return s.Name == name })
	if i < 0 {
		return NamedSet{}, false
	}
	return named[i], true
}

// Sources returns the files and folders from which the set can be read: the prepared annotations,
// then the published forms.
func (s NamedSet) Sources() []string {
	sources := []string{s.Annotations}
	for _, p := range s.published {
		sources = append(sources, p.clue)
	}
	return sources
}

// Source returns the first of Sources that exists under root, which [Open] reads; "" if none does.
func (s NamedSet) Source(root string) string {
	for _, source := range s.Sources() {
		if _, err := os.Stat(under(root, source)); err == nil {
			return source
		}
	}
	return ""
}

func (s NamedSet) open(root string, opt Options) (*Dataset, error) {
	source := s.Source(root)
	if source == s.Annotations {
		return ReadCOCO(under(root, s.Annotations), under(root, s.Images), opt)
	}
	for _, p := range s.published {
		if p.clue == source {
			return p.open(root, opt)
		}
	}
	message := fmt.Sprintf("data set %s: %s holds none of %s: give the root that does as %s@ROOT", s.Name, root, strings.Join(s.Sources(), ", "), s.Name)
	if s.remedy != "" {
		message += `, or make the set with "` + strings.Replace(s.remedy, "%s", root, 1) + `"`
	}
	return nil, errors.New(message)
}

func under(root, slashed string) string { return filepath.Join(root, filepath.FromSlash(slashed)) }

// devkit reads splits ("VOC2007,test") of a VOCdevkit, which is the root or a folder in it.
func devkit(splits ...string) []published {
	var forms []published
	for _, folder := range []string{".", "VOCdevkit"} {
		first, _, _ := strings.Cut(splits[0], ",")
		forms = append(forms, published{filepath.ToSlash(filepath.Join(folder, first)), func(root string, opt Options) (*Dataset, error) {
			var sets []*Dataset
			for _, s := range splits {
				year, split, _ := strings.Cut(s, ",")
				set, err := ReadVOC(filepath.Join(root, folder, year), split, VOCOptions{}, opt)
				if err != nil {
					return nil, err
				}
				sets = append(sets, set)
			}
			return join(filepath.Join(root, folder), sets)
		}})
	}
	return forms
}

// join joins sets whose pictures lie under one folder. It renumbers the images.
func join(imagesDir string, sets []*Dataset) (*Dataset, error) {
	if len(sets) == 1 {
		return sets[0], nil
	}
	out := &Dataset{Annotations: imagesDir, ImagesDir: imagesDir, Categories: sets[0].Categories, Unlabelled: true}
	for _, set := range sets {
		if !slices.Equal(set.Categories, out.Categories) {
			return nil, fmt.Errorf("%s and %s do not have the same classes", sets[0].Annotations, set.Annotations)
		}
		for _, im := range set.Images {
			im.ID = ID(len(out.Images) + 1)
			out.Images = append(out.Images, im)
		}
		out.Unlabelled = out.Unlabelled && set.Unlabelled
		out.Skipped = append(out.Skipped, set.Skipped...)
		for _, note := range set.Notes {
			out.Notes = append(out.Notes, set.Annotations+": "+note)
		}
	}
	return out, nil
}

func scalabel(labels, images string) published {
	return published{labels, func(root string, opt Options) (*Dataset, error) {
		return ReadBDD100K(under(root, labels), under(root, images), opt)
	}}
}

func youTubeVIS(part string) []published {
	const annotations = "train/instances.json"
	return []published{{annotations, func(root string, opt Options) (*Dataset, error) {
		return ReadYouTubeVIS(under(root, annotations), under(root, "train/JPEGImages"), part, opt)
	}}}
}

// nuImagesOutliers reads the validation tables and keeps the images without objects of BDD100K's
// classes.
func nuImagesOutliers(root string, opt Options) (*Dataset, error) {
	d, err := ReadNuImages(root, "v1.0-val", opt)
	if err != nil {
		return nil, err
	}
	split, err := MakeSplit(d, SplitOptions{Inliers: nuImagesClasses[:nuImagesInliers]})
	if err != nil {
		return nil, err
	}
	if len(split.OOD.Images) == 0 {
		return nil, fmt.Errorf("%s: every image holds an object of BDD100K's classes: none is left", d.Annotations)
	}
	return split.OOD, nil
}
