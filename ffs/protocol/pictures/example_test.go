package pictures_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"ffslab/data"
	_ "ffslab/data/digits" // makes "digits2:..." a data set
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// detection is one on an annotated object that the detector takes for its first class.
func detection(set *data.Dataset, image int, energy float64) eval.Detection {
	logits := make([]float64, 11) // of ten classes and the background
	logits[0] = 9
	return eval.Detection{
		ImageID: set.Images[image].ID, CategoryID: 1, Box: set.Images[image].Instances[0].Box.COCO(),
		Score: 0.9, Logits: logits, Scores: map[string]float64{"energy": energy},
	}
}

// evaluation is what protocol.EvaluateRun returns, here of a detector that finds one object in each
// image: two digits, and two unknown objects, of which it takes the first for a digit.
func evaluation() *protocol.Evaluation {
	var sets []*data.Dataset
	for _, spec := range []string{"digits2:val?n=2", "digits2:ood-far?n=2"} {
		set, err := data.Open(spec, data.Options{})
		if err != nil {
			log.Fatal(err)
		}
		sets = append(sets, set)
	}
	threshold := 0.5
	return &protocol.Evaluation{
		Run: run.Named{Name: "flow"}, Sets: sets, Report: &eval.Report{ScoreThreshold: &threshold},
		Detections: [][]eval.Detection{
			{detection(sets[0], 0, 5), detection(sets[0], 1, 6)}, // so what has an energy below 5 is called unknown
			{detection(sets[1], 0, 7), detection(sets[1], 1, 2)},
		},
	}
}

// The first images of the outlier set, and a single one for a figure of your own.
func ExampleSheet() {
	e := evaluation()
	sheet, err := pictures.Sheet(e, 1, 2) // sheet.Save writes it as SVG, PNG and CSV
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sheet.Caption)
	shot, err := pictures.Shot(e, 1, 0)
	if err != nil {
		log.Fatal(err)
	}
	for _, box := range shot.Boxes {
		fmt.Println(box.Style, box.Label)
	}
	// Output:
	// Run flow on digits2:ood-far?n=2: detections from score 0.50 on; dashed ones are called unknown.
	// inlier 0
}

// The detections of which the detector is least sure that they are of known objects.
func ExampleCertain() {
	figure, err := pictures.Certain(evaluation(), 1, 1, true)
	if err != nil {
		log.Fatal(err)
	}
	caption, _, _ := strings.Cut(figure.Caption, ", by energy")
	fmt.Println(caption)
	// Output:
	// Run flow on digits2:ood-far?n=2: of 2 detections the 1 that are least certainly of known objects
}

// The most and the least certain detections of every set as files.
func ExampleSaveCertain() {
	out, err := os.MkdirTemp("", "pictures")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(out)
	drawn, err := pictures.SaveCertain(evaluation(), out, 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(drawn), "figures, the first", filepath.Base(drawn[0])+".png")
	// Output: 4 figures, the first most-certain.png
}

// The failures that open-set detection is about.
func ExampleTakenForKnown() {
	figure, err := pictures.TakenForKnown(evaluation(), 1, 8)
	if err != nil {
		log.Fatal(err)
	}
	caption, _, _ := strings.Cut(figure.Caption, ",")
	fmt.Println(caption)
	// Output: Run flow on digits2:ood-far?n=2: of 1 unknown objects that are taken for known ones
}

// The detections of any image, with its annotations, as boxes to draw.
func ExampleBoxes() {
	e := evaluation()
	unknown := e.Sets[1]
	thresholds, err := e.Thresholds()
	if err != nil {
		log.Fatal(err)
	}
	boxes := pictures.Boxes(e.Detections[1][1:], e.Names(), thresholds)
	annotated := pictures.Truth(unknown, 1)
	fmt.Println(boxes[0].Style, "on", annotated[0].Style, annotated[0].Label)
	view, err := unknown.Images[1].View(pictures.ShownSide)
	if err != nil {
		log.Fatal(err)
	}
	figure, err := viz.Detections(view, append(annotated, boxes...)) // pictures.Draw draws the detections alone
	fmt.Println(figure != nil, err)
	// Output:
	// unknown on truth e
	// true <nil>
}

func ExampleDraw() {
	e := evaluation()
	thresholds, err := e.Thresholds()
	if err != nil {
		log.Fatal(err)
	}
	image, err := e.Sets[0].Images[0].View(pictures.ShownSide)
	if err != nil {
		log.Fatal(err)
	}
	figure, err := pictures.Draw(image, e.Detections[0][:1], e.Names(), thresholds)
	if err != nil {
		log.Fatal(err)
	}
	text, err := figure.CSV()
	heading, _, _ := strings.Cut(string(text), "\n")
	fmt.Println(heading, err)
	// Output: label,style,score,x1,y1,x2,y2 <nil>
}
