package explore

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// checkPaper makes the paper's tables and figures of TestStory's run twice: the same bytes, and
// captions that say what they stand on.
func checkPaper(t *testing.T, s *Session, evaluations []*protocol.Evaluation) {
	t.Helper()
	digest, err := evaluations[0].Run.Config.Digest()
	if err != nil {
		t.Fatal(err)
	}
	build := func(dir string) map[string]string {
		session := *s
		session.Out = dir
		table, note, err := PaperTable(evaluations)
		if err != nil {
			t.Fatal(err)
		}
		session.KeepTable("results", table, note)
		for name, draw := range map[string]func() (*viz.Figure, error){
			"pairs":     func() (*viz.Figure, error) { return Pairs(evaluations, 1, 2) },
			"kinds":     func() (*viz.Figure, error) { return EnergiesByKind(evaluations) },
			"gaussians": Must(s.Synthesis()).GaussiansAgainstFlow,
		} {
			figure, err := draw()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, want := range []string{"seed 0", digest[:12], "commit "} {
				if !strings.Contains(figure.Caption, want) {
					t.Errorf("%s: the caption lacks %q: %s", name, want, figure.Caption)
				}
			}
			session.Show(name, figure)
		}
		files := map[string]string{}
		paths, err := filepath.Glob(filepath.Join(dir, "figures", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(path)] = string(content)
		}
		return files
	}
	first, second := build(t.TempDir()), build(t.TempDir())
	if len(first) != 12 {
		t.Errorf("%d files, want three of each figure and of the table", len(first))
	}
	for name, content := range first {
		if content != second[name] {
			t.Errorf("%s differs when it is made again", name)
		}
	}
	if text := first["results.md"]; !strings.Contains(text, "| run flow") || !strings.Contains(text, "44.15") {
		t.Errorf("results.md lacks our row or the paper's:\n%s", text)
	}
}

func TestPaperTableSaysWhoseItIs(t *testing.T) {
	e := evaluation([]float64{3, 4}, []float64{1})
	e.Run = run.Named{Name: "mine", Run: &run.Run{}}
	e.Run.Config.Model.Outlier.Method = "flow"
	e.Report.MAP.AP = 0.25
	e.Report.Outliers = map[string]*eval.Outcome{"b": {Scores: map[string]eval.Separation{"energy": {FPR95: 0.5, AUROC: 0.75}}}}
	table, note, err := PaperTable([]*protocol.Evaluation{e, e})
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != len(published)+2 || !strings.Contains(note, "Run mine") {
		t.Fatalf("%d rows, note %q", len(table.Rows), note)
	}
	if diff := cmp.Diff([]string{"a", "b", "flow", "50.00", "75.00", "25.0", "run mine"}, table.Rows[len(published)]); diff != "" {
		t.Errorf("our row (-want +got):\n%s", diff)
	}
	if i := slices.IndexFunc(table.Rows, func(row []string) bool {
		return row[6] == "paper" && row[2] == "FFS" && row[0] == "VOC" && row[1] == "COCO"
	}); i < 0 || table.Rows[i][3] != "44.15" {
		t.Errorf("the paper's row of VOC and COCO is at %d", i)
	}
	if len(published) != 8 {
		t.Error("the published rows were changed")
	}
}

func TestOnAndOffObjects(t *testing.T) {
	v := []float64{7, 5, 3, 1}
	threshold := 0.5
	detection := func(i int, x float64, score float64) eval.Detection {
		return eval.Detection{ImageID: 1, Box: [4]float64{x, 0, 10, 10}, Score: score, Logits: []float64{9, 0}, Scores: map[string]float64{"energy": v[i]}}
	}
	low := detection(3, 0, 0.1)
	low.Logits = []float64{0, 9}
	e := &protocol.Evaluation{
		Run: run.Named{Name: "tiny", Run: &run.Run{}}, Report: &eval.Report{ScoreThreshold: &threshold},
		Sets:       []*data.Dataset{{Name: "a", Images: []data.Image{{ID: 1, Instances: []data.Instance{{Box: [4]float64{0, 0, 10, 10}}}}}}},
		Detections: [][]eval.Detection{{detection(0, 1, 0.9), detection(1, 6, 0.9), detection(2, 90, 0.9), low}},
	}
	on, off, err := onAndOffObjects(e)
	if err != nil {
		t.Fatal(err)
	}
	// An IoU of 9/11 is on the object, of 4/16 not; what does not count is no inlier, but lies on
	// an object.
	if diff := cmp.Diff([][]float64{{7}, {5, 3}}, [][]float64{on, off}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
