package pictures

import (
	"fmt"
	"image"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// TakenForKnown draws crops of unknown objects of an outlier set, by its index in Sets, that the
// detector takes for known ones: the n detections of the highest energy that count, are not called
// unknown and overlap an annotated object of no known class by an IoU of at least 0.5 (in a set
// without annotations, wherever they lie). Captions are the class that the detector names, with the
// energy, and the object's own. If there are none there is nothing to show ([viz.ErrNothing]).
func TakenForKnown(e *protocol.Evaluation, set, n int) (*viz.Figure, error) {
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	ranked, err := ranking(e, set, false)
	if err != nil {
		return nil, err
	}
	objects := unknownObjects(e, set)
	images := e.Sets[set].Indices()
	names := e.Names()
	var crops []image.Image
	var captions []string
	taken := 0
	for _, d := range ranked {
		object, is := objects.under(d)
		if !is || thresholds.Unknown(d) {
			continue
		}
		if taken++; taken > n {
			continue
		}
		i, ok := images[d.ImageID]
		if !ok {
			return nil, fmt.Errorf("%s: a detection lies on image %v, which the set does not have", e.Sets[set].Name, d.ImageID)
		}
		crop, err := Crop(e.Sets[set].Images[i], d.Box.Corners())
		if err != nil {
			return nil, err
		}
		caption := fmt.Sprintf("%s, energy %.2f", names[d.CategoryID], energyOf(d))
		if object != "" {
			caption = object + " as " + caption
		}
		crops, captions = append(crops, crop), append(captions, caption)
	}
	if taken == 0 {
		return nil, fmt.Errorf("%w: %s: no unknown object is taken for a known one", viz.ErrNothing, e.Sets[set].Name)
	}
	caption := viz.Caption(fmt.Sprintf("Run %s on %s: of %d unknown objects that are taken for known ones, the %d of the highest energy (nats), each as the detector's box with a margin. Captions: the object, the class that it is taken for.",
		e.Run.Name, e.Sets[set].Label(), taken, len(crops)) + subject(e))
	return caption.Under(viz.ContactSheet(crops, captions, 8))
}

// unknown are the annotated objects of no known class of each image.
type unknown struct {
	everywhere bool // nobody has marked them
	ofImage    map[data.ID][]namedObject
}

type namedObject struct {
	name string
	box  box.COCO
}

func unknownObjects(e *protocol.Evaluation, set int) unknown {
	known := map[string]bool{}
	for _, c := range e.Sets[0].Categories {
		known[c.Name] = true
	}
	u := unknown{everywhere: e.Sets[set].Unlabelled, ofImage: map[data.ID][]namedObject{}}
	for _, img := range e.Sets[set].Images {
		for _, o := range img.Instances {
			if name := e.Sets[set].Categories[o.Category].Name; !known[name] {
				u.ofImage[img.ID] = append(u.ofImage[img.ID], namedObject{name, o.Box.COCO()})
			}
		}
	}
	return u
}

// under names the unknown object that the detection overlaps most, false for none.
func (u unknown) under(d eval.Detection) (name string, is bool) {
	best := 0.5
	for _, o := range u.ofImage[d.ImageID] {
		if iou := eval.IoU(d.Box, o.box); iou >= best {
			best, name, is = iou, o.name, true
		}
	}
	return name, is || u.everywhere
}
