package report

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
	"ffslab/viz/browser"
	"ffslab/viz/escape/hostile"
)

// measured evaluates made-up detections: every object of every set is found, inliers with higher
// energies, once as the class of the name given.
func measured(t *testing.T, class string) *protocol.Evaluation {
	t.Helper()
	e := &protocol.Evaluation{Run: run.Named{Name: class, Run: &run.Run{Config: config.Config{}}}}
	e.Run.Config.Model.Classes = []string{class, "blue"}
	e.Run.Config.Origin = config.Origin{Command: "ffs train --run " + class, Commit: "0123abc" + class}
	e.Run.Config.Data.Train = class
	e.Sets = []*data.Dataset{tiny.Squares(class, 6, class, "blue"), tiny.Squares(class+"2", 6, "un"+class)}
	r := rand.New(rand.NewPCG(1, 1))
	for i, set := range e.Sets {
		var found []eval.Detection
		for _, img := range set.Images {
			for k, o := range img.Instances {
				energy := r.NormFloat64() + float64(2-2*i)
				found = append(found, eval.Detection{
					ImageID: img.ID, CategoryID: e.Sets[0].Categories[k%2].ID, Box: o.Box.COCO(), Score: 0.5 + 0.4*r.Float64(), Logits: []float64{5, 1, 0},
					Scores: map[string]float64{"energy": energy, "weighted_energy": energy + r.NormFloat64(), "nll": r.NormFloat64()},
				})
			}
		}
		e.Detections = append(e.Detections, found)
	}
	settings := eval.Settings{Temperature: 1, Bootstrap: eval.Bootstrap{Resamples: 20}}
	inlier := eval.Results{Annotations: protocol.Annotations(e.Sets[0]), Detections: e.Detections[0]}
	var err error
	if e.Report, err = settings.MeasureDetection(inlier); err != nil {
		t.Fatal(err)
	}
	outliers := map[string]eval.Results{e.Sets[1].Name: {Annotations: protocol.Annotations(e.Sets[1]), Detections: e.Detections[1]}}
	if err := settings.MeasureOutliers(e.Report, inlier, outliers); err != nil {
		t.Fatal(err)
	}
	e.Report.Subject = &eval.Subject{
		Run: class, Step: 5, Steps: 8, Weights: "0123456789abcdef", Commit: "4567def" + class, Inlier: protocol.Describe(e.Sets[0]),
		Outliers: []eval.Set{protocol.Describe(e.Sets[1])},
	}
	return e
}

func saved(t *testing.T, e *protocol.Evaluation, explorers ...string) (path, text string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "report.html")
	if err := Save(e, path, explorers...); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(content)
}

func TestEveryPartIsOnThePage(t *testing.T) {
	e := measured(t, "red")
	digest, err := e.Run.Config.Digest()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	explorer, other := filepath.Join(folder, "04-explorer.html"), filepath.Join(folder, "other.html")
	for path, text := range map[string]string{explorer: "Run red: seed 0, configuration " + digest[:12] + ", commit", other: "configuration 999999999999"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, page := saved(t, e, filepath.Join(folder, "absent.html"), other, explorer)
	for what, want := range map[string]string{
		"run":           "<h1>Run red</h1>",
		"step":          "5 of 8 (the training is not finished)",
		"weights":       "0123456789ab",
		"command":       "ffs train --run red",
		"commit":        "0123abcred",
		"data":          "red2 (6 images)",
		"detection":     "AP50</th>",
		"outliers":      "AUROC ↑</th>",
		"which score":   "<h2>Which score</h2>",
		"by class":      "<h2>Detection by class and by size</h2>",
		"ROC":           "Receiver operating characteristics",
		"energies":      "Energies of the detections",
		"scores":        "How well each outlier score",
		"calibration":   "Precision at IoU 0.5",
		"confusion":     "What the unknown objects of red2 are taken for",
		"most certain":  "are most certainly of known objects",
		"least certain": "are least certainly of known objects",
		"taken for":     "unknown objects that are taken for known ones",
		"explorer":      "04-explorer.html\">Explorer</a>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s: the page lacks %q", what, want)
		}
	}
	if n := strings.Count(page, "src=\"data:image/jpeg;base64,"); n != 5 {
		t.Errorf("%d sheets of pictures, want two of the inlier set and three of the outlier set", n)
	}
	if _, page := saved(t, e, other); strings.Contains(page, "Explorer</a>") {
		t.Error("the page links to the explorer of another run")
	}
}

func TestHostileNamesStayNames(t *testing.T) {
	path, page := saved(t, measured(t, hostile.Name))
	hostile.HTML(t, page)
	// Nothing but pictures in the page itself is asked for.
	for _, found := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(found[1], "#") && !strings.HasPrefix(found[1], "data:image/") {
			t.Errorf("the page refers to %.100s", found[1])
		}
	}
	b := browser.Open(t, 1280, 900)
	if err := chromedp.Do(b.Context, chromedp.Navigate("file://"+path)); err != nil {
		t.Fatal(err)
	}
	if n := b.Text(t, "[...document.images].filter(i => i.complete && i.naturalWidth > 0).length + '/' + document.images.length"); n != "5/5" {
		t.Errorf("pictures that load: %s", n)
	}
	if title := b.Text(t, "document.querySelector('h1').textContent"); !strings.Contains(title, "<img src=x") {
		t.Errorf("the title is %q", title)
	}
	for _, asked := range b.Asked() {
		if !strings.HasPrefix(asked, "file://") && !strings.HasPrefix(asked, "data:") {
			t.Errorf("the page asks for %s", asked)
		}
	}
	b.NoFaults(t)
	b.Screenshot(t, "report")
}

// Pictures that are gone leave a note, not an error: the numbers do not need them.
func TestWithoutPictures(t *testing.T) {
	e := measured(t, "red")
	for i := range e.Sets[1].Images {
		e.Sets[1].Images[i].Render = func() (*data.Pixels, error) { return nil, fmt.Errorf("gone.png: no such file") }
	}
	_, page := saved(t, e)
	if !strings.Contains(page, "A sheet of images is missing: ") || !strings.Contains(page, "gone.png") || strings.Count(page, "data:image/jpeg") != 2 {
		t.Errorf("%d sheets; a note of what is missing: %v", strings.Count(page, "data:image/jpeg"), strings.Contains(page, "gone.png"))
	}
}

// A sheet of large and noisy pictures takes no more than its share.
func TestPicturesAreBounded(t *testing.T) {
	noise := image.NewRGBA(image.Rect(0, 0, 3000, 2000))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	figure, err := viz.Detections(noise, nil)
	if err != nil {
		t.Fatal(err)
	}
	const share = maxBytes / (3*maxSets - 1)
	p, err := newPicture(figure, share)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Source) > share || p.Width < 400 {
		t.Errorf("%d bytes at a width of %d, the share is %d", len(p.Source), p.Width, share)
	}
}
