package explore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"ffslab/ffs/explore"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// evaluations measures both runs, without post-hoc scores; Evaluate("all") adds them.
var evaluations = sync.OnceValue(func() []*protocol.Evaluation {
	return quietly(func() []*protocol.Evaluation { return explore.Must(zoo().Evaluate()) })
})

// Both runs in the tables of the notebook on metrics. The numbers are left out here: they differ a
// little between machines.
func ExampleSession_Evaluate() {
	for _, table := range []*explore.Table{
		explore.DetectionTable(evaluations()),
		explore.OutlierTable(evaluations(), "energy", "nll"),
		explore.Must(explore.PairedTable(evaluations())),
	} {
		fmt.Println(strings.Join(table.Head, ", "))
		fmt.Println("  ", len(table.Rows), "rows; in Markdown:", strings.HasPrefix(table.String(), "| "+table.Head[0]))
	}
	// Output:
	// run, AP, AP50, AP75, AP small, AP medium, AP large, score threshold
	//    2 rows; in Markdown: true
	// outlier set, run, score, AUROC, AUPR, FPR95, inlier, outlier, AP unknown, recall unknown
	//    3 rows; in Markdown: true
	// run, measure, value, difference from flow, 95 % interval
	//    6 rows; in Markdown: true
}

// Figures of an evaluation: two kinds of curves, and distributions of energies.
func ExampleROC() {
	for _, figure := range []*viz.Figure{
		explore.Must(explore.ROC(evaluations())),
		explore.Must(explore.PrecisionRecall(evaluations())),
		explore.Must(explore.EnergyHistogram(evaluations())),
		explore.Must(explore.EnergiesByKind(evaluations())),
	} {
		fmt.Println(subject(figure))
	}
	// Output:
	// Receiver operating characteristics
	// Precision against recall
	// Energies of the detections that reach the score threshold
	// Energies of detections on objects of the inlier set
}

// The paper's table with the session's runs under the published rows.
func ExamplePaperTable() {
	table, _, err := explore.PaperTable(evaluations())
	explore.Check(err)
	for _, row := range table.Rows[len(table.Rows)-3:] {
		fmt.Println(strings.Join(append(row[:3:3], row[6]), ", "))
	}
	// Output:
	// YouTube-VIS, COCO, FFS, paper
	// digits2:val?n=16, digits2:ood-far?n=8, flow, run flow
	// digits2:val?n=16, digits2:ood-far?n=8, none, run none
}

// FFS beside the plain detector, image by image.
func ExamplePairs() {
	outlierSet := 1
	figure := explore.Must(explore.Pairs(evaluations(), outlierSet, 2))
	fmt.Println(subject(figure))
	// Output: Detections on digits2:ood-far?n=8 with their scores
}

// The method in one figure, and a summary in Markdown.
func ExampleSession_Summarise() {
	session := zoo()
	overview := explore.Must(session.Overview(evaluations()[0], "digits2:mixed?n=8&seed=1"))
	fmt.Println("says what is called unknown:", strings.Contains(overview.Caption, "A detection is called unknown if"))
	summary := explore.Must(session.Summarise(evaluations()))
	kept, err := os.ReadFile(filepath.Join(session.Out, "summary.md"))
	fmt.Println(string(kept) == summary.String(), err)
	// Output:
	// says what is called unknown: true
	// true <nil>
}
