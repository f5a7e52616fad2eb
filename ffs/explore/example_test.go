package explore_test

import (
	"fmt"
	"log"
	"os"

	"ffslab/data"
	"ffslab/ffs/explore"
)

// The zoo's detectors are explored without training. A notebook's cell calls [explore.Open]
// instead.
func Example() {
	out, err := os.MkdirTemp("", "explore")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(out)
	session := explore.Must(explore.New(explore.Options{
		Out: out, Trained: []string{"zoo:digits-flow", "zoo:digits-none"}, Outliers: []string{"digits2:ood-far?n=20"},
	}))
	for _, run := range explore.Must(session.Runs()) {
		fmt.Println(run.Name, run.Config.Train.MaxIter, "steps")
	}
	for _, set := range explore.Must(session.OutlierSets()) {
		fmt.Println(set.Name, len(set.Images), "images")
	}
	// Output:
	// flow 3000 steps
	// none 3000 steps
	// digits2:ood-far?n=20 20 images
}

func ExampleSetTable() {
	set, err := data.Open("digits2:mixed?n=50", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(explore.SetTable([]*data.Dataset{set}))
	// Output:
	// | data set           | images | without objects | objects | objects per image | classes |
	// |:-------------------|-------:|----------------:|--------:|------------------:|--------:|
	// | digits2:mixed?n=50 |     50 |               0 |     151 |               3.0 |      10 |
}

func ExampleSheet() {
	set, err := data.Open("digits2:val?n=6", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	figure, err := explore.Sheet(set, 4) // figure.Save writes it as SVG, PNG and CSV
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(figure.Caption)
	// Output: digits2:val?n=6: the first 4 of 6 images.
}
