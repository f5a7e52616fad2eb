package explore_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/gomlx/compute"

	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/explore"
	"ffslab/ffs/study"
	"ffslab/viz"
)

// zoo returns a quick session, which all examples share: two detectors that are part of the
// program, measured on a few generated scenes. A notebook's cell calls [explore.Open] instead.
var zoo = sync.OnceValue(func() *explore.Session {
	out, err := os.MkdirTemp("", "explore")
	if err != nil {
		log.Fatal(err)
	}
	cleanUp = func() { os.RemoveAll(out) }
	return explore.Must(explore.New(explore.Options{
		Out: out, Quick: true, Preset: explore.Must(config.Preset(config.DefaultPreset)),
		Trained: []string{"zoo:digits-flow", "zoo:digits-none"},
		Inlier:  "digits2:val?n=16", Outliers: []string{"digits2:ood-far?n=8"},
		Studies: []string{"../study/results/earlier/weight"},
		Backend: func() (compute.Backend, error) { return device.OpenForDetectors(device.FromEnvironment()) },
	}))
})

var cleanUp = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	cleanUp()
	os.Exit(code)
}

// quietly calls f without the lines of progress that it prints.
func quietly[T any](f func() T) T {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer null.Close()
	os.Stdout = null
	return f()
}

// subject returns the beginning of a caption, which names what is seen.
func subject(figure *viz.Figure) string { return endOfSubject.Split(figure.Caption, 2)[0] }

var endOfSubject = regexp.MustCompile(`[.,:;] | \(`)

// What a session explores: the first run, its configuration with the session's data, and its model.
func ExampleSession_Config() {
	session := zoo()
	c := explore.Must(session.Config())
	fmt.Println(c.Model.Outlier.Method, "measured on", c.Data.Val, "and", c.Data.OOD)
	model := explore.Must(session.Model())
	fmt.Println("with a flow:", model.HasFlow())
	schedule := explore.Must(explore.ScheduleTable(explore.Must(session.Runs())))
	for _, run := range schedule.Rows {
		fmt.Println(schedule.Head[:4], run[:4])
	}
	// Output:
	// flow measured on digits2:val?n=16 and [digits2:ood-far?n=8]
	// with a flow: true
	// [run outliers by steps done of] [flow flow 3000 3000]
	// [run outliers by steps done of] [none none 3000 3000]
}

// A single run, from a folder or from the zoo.
func ExampleSession_Given() {
	session := explore.Must(explore.New(explore.Options{Out: zoo().Out, Run: "zoo:digits-none"}))
	fmt.Println(session.Given(), len(explore.Must(session.Runs())))
	// Output: true 1
}

// The data sets of a session in figures: classes, sizes of objects, and crops of two classes.
func ExampleSession_Sets() {
	session := zoo()
	sets := explore.Must(session.Sets())
	inlier := explore.Must(session.InlierSet())
	training := explore.Must(session.TrainingSet())
	fmt.Println(len(sets), "sets: trained on", len(training.Images), "images, measured on", len(inlier.Images))
	for _, figure := range []*viz.Figure{
		explore.Must(explore.ClassCounts(sets)),
		explore.Must(explore.ObjectSizes(sets)),
		explore.Must(explore.Crops(inlier, 2, 3)),
	} {
		fmt.Println(subject(figure))
	}
	// Output:
	// 3 sets: trained on 12000 images, measured on 16
	// Annotated objects of each class
	// Sizes of the annotated objects in the original images
	// digits2:val?n=16
}

// A figure as files and, in a notebook, under the cell; and a table of a study.
func ExampleSession_Show() {
	session := zoo()
	session.Show("sizes", explore.Must(explore.ObjectSizes(explore.Must(session.Sets()))))
	for _, dir := range session.Studies() {
		table, _ := explore.Must(study.Read(dir)).Means()
		table.Head, table.Rows = table.Head[:2], [][]string{table.Rows[0][:2]}
		session.KeepTable("study", table, "A part of the table.")
	}
	for _, kept := range explore.Must(filepath.Glob(filepath.Join(session.Out, "figures", "s*"))) {
		fmt.Println(filepath.Base(kept))
	}
	// Output:
	// | method | seeds |
	// |:-------|------:|
	// | none   |     3 |
	//
	// A part of the table.
	//
	// sizes.csv
	// sizes.png
	// sizes.svg
	// study.csv
	// study.md
	// study.tex
}

// A variant that the zoo has is not trained again. Others are trained from the zoo's detector, for
// the given number of steps.
func ExampleSession_TrainVariant() {
	session := zoo()
	baseline := explore.Must(session.TrainVariant("baseline", 200, "model.outlier.method=none"))
	fmt.Println(baseline.Name, "of", baseline.Config.Train.MaxIter, "steps")
	other := session.Of(baseline) // explores this run, which has no flow and so no latents
	_, err := other.Latents()
	fmt.Println("nothing to show:", errors.Is(err, viz.ErrNothing))
	_, err = session.TrainVariant("typing error", 200, "model.outlier.metod=none")
	fmt.Println("refused:", err != nil)
	// Output:
	// baseline of 3000 steps
	// nothing to show: true
	// refused: true
}

// Features of annotated objects as numbers, for an analysis of your own: does the energy of known
// objects exceed that of unknown ones?
func ExampleSession_HeldOut() {
	session := zoo()
	inliers, unknown, err := session.HeldOut()
	explore.Check(err)
	mean := func(f *explore.Features) (sum float64) {
		for _, energy := range f.Energy {
			sum += energy / float64(len(f.Energy))
		}
		return sum
	}
	fmt.Println(inliers.Set, "above", unknown[0].Set, mean(inliers) > mean(unknown[0]))
	training := *explore.Must(session.TrainingSet())
	training.Images = training.Images[:4]
	features := explore.Must(session.Features(&training)) // of any other set
	fmt.Println("as long:", len(features.Rows[0]) == len(inliers.Rows[0]))
	// Output:
	// digits2:val?n=16 above digits2:ood-far?n=8 true
	// as long: true
}
