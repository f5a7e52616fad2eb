package viz

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

var update = flag.Bool("update", false, "rewrite the reference pictures in testdata")

// gallery holds one figure of each kind, with awkward content: long names, many entries, gaps.
func gallery(t testing.TB) map[string]*Figure {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	normal := func(n int, mean, sd float64) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = mean + sd*r.NormFloat64()
		}
		return v
	}
	var losses []Series
	for k, name := range []string{"total_loss", "loss_rpn_cls", "loss_rpn_loc", "loss_cls", "loss_box_reg", "loss_energy"} {
		s := Series{Name: name}
		for i := range 100 {
			s.X = append(s.X, float64(20*i))
			s.Y = append(s.Y, (2-0.2*float64(k))*math.Exp(-float64(i)/30)+0.1+0.1*r.Float64())
		}
		s.Y[k*10] = 0
		losses = append(losses, s)
	}
	inlier, unknown := normal(300, 2, 1), normal(200, 0, 1)
	roc, pr := rates("energy", inlier, unknown)
	density, err := NewDensity("flow", [2]float64{-4, 6}, [2]float64{-4, 4}, 40, func(at [][]float64) ([]float64, error) {
		out := make([]float64, len(at))
		for i, p := range at {
			out[i] = -(p[0]*p[0] + p[1]*p[1]) / 2
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	z := make([][]float64, 50)
	for i := range z {
		z[i] = normal(16, 0, 1)
	}
	photo := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range photo.Pix {
		photo.Pix[i] = uint8(i*7) | 0x0F
	}

	figures := map[string]*Figure{}
	add := func(name string, f *Figure, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.Caption = "What is seen in <" + name + "> & how."
		figures[name] = f
	}
	f, err := Curves{Title: "Losses of one run, with a title that is too long for one row", YLabel: "loss (nats)", Series: losses, LogY: true,
		Smooth: 0.8, Marks: []Mark{{At: 900, Label: "outliers start"}, {At: 1900, Label: "lr × 0.1"}}}.Figure()
	add("curves", f, err)
	f, err = Histogram{Title: "Energy", XLabel: "energy score (nats)", Marks: []Mark{{At: 0.4, Label: "threshold 0.40"}},
		Groups:   []Group{{Name: "inlier", Values: append(inlier, math.NaN())}, {Name: "unknown", Values: unknown}},
		Expected: []Distribution{{Name: "N(2, 1)", CDF: distuv.Normal{Mu: 2, Sigma: 1}.CDF}}}.Figure()
	add("histogram", f, err)
	f, err = ROC{Title: "ROC", Curves: []ROCCurve{roc}}.Figure()
	add("roc", f, err)
	f, err = PrecisionRecall{Curves: []PRCurve{pr}}.Figure()
	add("pr", f, err)
	f, err = Latents{Groups: []Latent{{Name: "inlier", Z: z}}}.Figure()
	add("latents", f, err)
	f, err = Scatter{Title: "Features", XLabel: "PC 1", YLabel: "PC 2", Equal: true,
		Groups:    []Points{{Name: "inlier", X: inlier, Y: normal(300, 0, 1)}, {Name: strings.Repeat("a long name ", 9), X: unknown, Y: unknown, Strong: true}},
		Gaussians: []Gaussian{{Name: "class Gaussian", Mean: [2]float64{2, 0}, Cov: [2][2]float64{{1, 0.3}, {0.3, 1}}}}, Densities: []Density{density}}.Figure()
	add("scatter", f, err)
	f, err = Bars{Title: "AP50", YLabel: "AP50 (%)", Decimals: 1, Categories: []string{"person", "dining table", "potted plant", "motorcycle", "sheep", "tv"},
		Groups: []BarGroup{{Name: "none", Values: []float64{60, 55, 40.5, 70, math.NaN(), -3}}, {Name: "flow", Values: []float64{61, 54, 41, 72, 30, 12}, Errors: []float64{1, 2, 3, 2, 1, 0}}}}.Figure()
	add("bars", f, err)
	f, err = BoxPlot{Title: "AUROC over seeds", YLabel: "AUROC (%)", Groups: []Group{{Name: "none", Values: []float64{85.1, 85, 84.2}}, {Name: "flow", Values: normal(200, 85, 1)}}}.Figure()
	add("boxes", f, err)
	f, err = Intervals{Title: "Which score", XLabel: "AUROC (%)", Rows: []string{"knn", "relative_mahalanobis", "energy", "not measured"}, Marks: []Mark{{At: 50, Label: "chance"}}, Series: []IntervalSeries{
		{Name: "near", Values: []float64{70, 65, 61, math.NaN()}, Low: []float64{66, 60, 55, math.NaN()}, High: []float64{73, 70, 66, math.NaN()}},
		{Name: "far", Values: []float64{80, 71, 52, 60}, Low: []float64{77, 68, 49, math.NaN()}, High: []float64{82, 75, 55, math.NaN()}},
		{Name: "synthetic", Values: []float64{99, 90, 97, 60}}}}.Figure()
	add("intervals", f, err)
	reliability := Reliability{Title: "Confidence and precision"}
	for i := range 19 { // the second bin is empty
		at := i + min(i, 1)
		low := float64(at) / 20
		reliability.Bins = append(reliability.Bins, ReliabilityBin{
			Low: low, High: float64(at+1) / 20, Count: 1 + int(9000*math.Exp(-float64(i)/2)), Confidence: low + 0.02, Precision: math.Pow(low, 1.6) + 0.1*float64(i%2),
		})
	}
	f, err = reliability.Figure()
	add("reliability", f, err)
	voc := []string{"aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table", "dog", "horse", "motorbike", "person",
		"potted plant", "sheep", "sofa", "train", "tv/monitor"}
	table := Confusion{Title: "Objects of unknown classes in " + strings.Repeat("a set with a long name ", 7), RowLabel: "unknown class (objects)", ColumnLabel: "taken for", Columns: voc,
		Rows: []string{"elephant", "giraffe", "traffic light at night", "pizza"}, Missed: []int{3, 40, 1200, 0}}
	for i := range table.Rows {
		row := make([]int, len(voc))
		for j := range row {
			if (i+j)%3 != 0 {
				row[j] = (i*7 + j*j*j) % 131 * (1 + j%2*i*9)
			}
		}
		table.Counts = append(table.Counts, row)
	}
	f, err = table.Figure()
	add("confusion", f, err)
	f, err = Confusion{RowLabel: "unknown class (objects)", ColumnLabel: "taken for", Rows: []string{"7", "8", "9"},
		Columns: []string{"a class of a long name", "1", "2", "3", "4", "5", "6"},
		Counts:  [][]int{{0, 31, 12, 3, 0, 1, 0}, {5, 0, 40, 22, 1, 17, 3}, {8, 2, 1, 0, 113, 2, 0}}, Missed: []int{10, 0, 21}}.Figure()
	add("confusion-column", f, err)
	surface, err := NewSurface([2]float64{-6, 8}, [2]float64{-5, 5}, 60, func(at [][]float64) ([]float64, error) {
		out := make([]float64, len(at))
		for i, p := range at {
			out[i] = math.Log(math.Exp(6-math.Hypot(p[0]-2, p[1])) + math.Exp(5-math.Hypot(p[0]+3, p[1]-1)))
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	surface.Title, surface.XLabel, surface.YLabel, surface.ZLabel = "Energy", "PC 1", "PC 2", "energy (nats)"
	surface.Marks = []Mark{{At: 3, Label: "threshold 3.0"}}
	surface.Groups = []Points{{Name: "inlier", X: inlier, Y: normal(300, 0, 0.7)}, {Name: "outlier", X: normal(30, 0, 4), Y: normal(30, 0, 4), Color: SyntheticColor}}
	f, err = surface.Figure()
	add("surface", f, err)
	f, err = Detections(photo, []Box{
		{XYXY: [4]float64{4, 6, 30, 40}, Label: "3", Score: 0.93},
		{XYXY: [4]float64{20, 10, 62, 44}, Score: 0.6, Style: Unknown},
		{XYXY: [4]float64{5, 5, 31, 41}, Label: "3", Style: Truth},
	})
	add("detections", f, err)
	f, err = ContactSheet([]image.Image{photo, figures["detections"].Image(), photo}, []string{"one", "two, with a caption that does not fit into its cell", ""}, 2)
	add("sheet", f, err)
	f, err = DetectionSheet([]Shot{
		{Image: photo, Caption: "one", Boxes: []Box{
			{XYXY: [4]float64{4, 6, 30, 40}, Label: "3", Score: 0.93}, {XYXY: [4]float64{20, 10, 62, 44}, Score: 0.6, Style: Unknown},
		}},
		{Image: photo, Caption: "two", Boxes: []Box{{XYXY: [4]float64{5, 5, 31, 41}, Label: "3", Style: Truth}}}, {Image: photo},
	}, 3)
	add("detection-sheet", f, err)
	f, err = Grid(2, figures["roc"], figures["pr"], figures["detections"])
	add("grid", f, err)
	return figures
}

// Every figure gives well-formed, self-contained, repeatable files whose text lies inside the
// picture.
func TestFormats(t *testing.T) {
	first, second := gallery(t), gallery(t)
	for name, f := range first {
		t.Run(name, func(t *testing.T) {
			svg, err := f.SVG()
			if err != nil {
				t.Fatal(err)
			}
			again, err := second[name].SVG()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(svg, again) {
				t.Error("two drawings of the same SVG differ")
			}
			checkSVG(t, svg)

			picture, err := f.PNG()
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			if f.pixels == nil && math.Abs(float64(img.Bounds().Dx())-f.width.Dots(dotsPerInch)) > 1 {
				t.Errorf("PNG is %d pixels wide for %.1f points", img.Bounds().Dx(), f.width.Points())
			}

			data, err := f.CSV()
			if err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll() // also checks that rows have the same length
			if err != nil || len(rows) < 2 {
				t.Errorf("CSV has %d rows, error %v", len(rows), err)
			}
		})
	}
}

// checkSVG reads the document as a viewer would and checks that the unrotated texts are inside, and
// that nothing is referred to outside.
func checkSVG(t *testing.T, svg []byte) {
	t.Helper()
	var width float64
	depth, texts, described := 0, 0, false
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("SVG is not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			attribute := map[string]string{}
			for _, a := range e.Attr {
				attribute[a.Name.Local] = a.Value
			}
			number := func(key string) float64 {
				v, err := strconv.ParseFloat(attribute[key], 64)
				if err != nil {
					t.Fatalf("<%s> has %s=%q", e.Name.Local, key, attribute[key])
				}
				return v
			}
			switch e.Name.Local {
			case "svg":
				width, _ = strconv.ParseFloat(strings.Fields(attribute["viewBox"])[2], 64)
			case "desc":
				described = true
			case "text":
				texts++
				x, length := number("x"), number("textLength")
				if depth == 3 && (x < 0 || x+length > width+0.5) { // svg > g > text: not rotated
					t.Errorf("a text from %.1f to %.1f leaves the picture of width %.1f", x, x+length, width)
				}
				if !strings.Contains(attribute["style"], ",sans-serif") {
					t.Errorf("text without a generic font: %s", attribute["style"])
				}
			case "image":
				if !strings.HasPrefix(attribute["href"], "data:image/png;base64,") {
					t.Errorf("image refers to %.40s", attribute["href"])
				}
			case "style", "script", "link":
				t.Errorf("element <%s> in a plain picture", e.Name.Local)
			}
		}
	}
	if !described {
		t.Error("the caption is missing from the SVG")
	}
	if texts == 0 && !bytes.Contains(svg, []byte("<image")) {
		t.Error("no text in the SVG")
	}
}

// The look of every kind is compared with a reference; -update rewrites it. Anti-aliasing may
// differ in the last bits between processors.
func TestLook(t *testing.T) {
	figures, again := gallery(t), gallery(t)
	for name := range figures {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".png")
			got, err := figures[name].PNG()
			if err != nil {
				t.Fatal(err)
			}
			// (The bytes of one machine are the same each time.)
			if repeated, _ := again[name].PNG(); !bytes.Equal(got, repeated) {
				t.Error("two drawings of the same PNG differ")
			}
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want, err := png.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			img := figures[name].Image()
			if img.Bounds() != want.Bounds() {
				t.Fatalf("size %v, want %v", img.Bounds(), want.Bounds())
			}
			different := 0
			for y := range want.Bounds().Dy() {
				for x := range want.Bounds().Dx() {
					a, b := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
					if max(distance(a.R, b.R), distance(a.G, b.G), distance(a.B, b.B)) > 8 {
						different++
					}
				}
			}
			if limit := want.Bounds().Dx() * want.Bounds().Dy() / 2000; different > limit {
				t.Errorf("%d pixels differ from %s, at most %d may", different, path, limit)
			}
		})
	}
}

func distance(a, b uint8) int { return max(int(a), int(b)) - min(int(a), int(b)) }

func TestSave(t *testing.T) {
	f := gallery(t)["bars"]
	dir := filepath.Join(t.TempDir(), "new", "figures")
	if err := f.Save(dir, "ap50.v2"); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"ap50.v2.csv", "ap50.v2.png", "ap50.v2.svg"}; !slices.Equal(names, want) {
		t.Errorf("saved %v, want %v", names, want)
	}
	for _, bad := range []string{"", "../up", "a/b", "a b", ".hidden", "naïve"} {
		if err := f.Save(dir, bad); err == nil {
			t.Errorf("the name %q was accepted", bad)
		}
	}
}

// A scatter with fixed ranges shows exactly them, and says what it leaves out.
func TestScatterRange(t *testing.T) {
	x := make([]float64, 5000)
	for i := range x {
		x[i] = float64(i) / 5000
	}
	f, err := Scatter{Groups: []Points{{Name: "p", X: x, Y: x}}, XRange: [2]float64{0, 0.5}}.Figure()
	if err != nil {
		t.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">p (n = 5000, 1 in 3 drawn, 2499 outside)<", ">0.5<"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("the SVG lacks %s", want)
		}
	}
	if glyphs := bytes.Count(svg, []byte("<path")); glyphs > 900 {
		t.Errorf("%d paths: points outside are drawn", glyphs)
	}
}

// A grid's CSV has the columns of all panels and keeps every row.
func TestGridCSV(t *testing.T) {
	g, err := Grid(2,
		&Figure{name: "left", data: table{header: []string{"x", "y"}, rows: [][]string{{"1", "2"}}}},
		&Figure{data: table{header: []string{"z", "x"}, rows: [][]string{{"3", "4"}}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.CSV()
	if err != nil {
		t.Fatal(err)
	}
	if want := "panel,x,y,z\nleft,1,2,\n2,4,,3\n"; string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// The block for a notebook scales with the window, escapes its caption and has no XML declaration.
func TestHTML(t *testing.T) {
	for name, f := range gallery(t) {
		got, err := f.HTML()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, "&lt;"+name+"&gt;") || strings.Contains(got, "<"+name+">") || strings.Contains(got, "<?xml") || !strings.Contains(got, "width:100%") {
			t.Errorf("%s: %.200s", name, got)
		}
	}
}

// rates are the curves of a score whose values all differ.
func rates(name string, inlier, unknown []float64) (ROCCurve, PRCurve) {
	roc, pr := ROCCurve{Name: name, FPR: []float64{0}, TPR: []float64{0}, FPR95: -1}, PRCurve{Name: name}
	thresholds := slices.Concat(inlier, unknown)
	slices.Sort(thresholds)
	slices.Reverse(thresholds)
	reach := func(values []float64, t float64) (n float64) {
		for _, v := range values {
			if v >= t {
				n++
			}
		}
		return n
	}
	last := 0.0
	for _, t := range thresholds {
		tp, fp := reach(inlier, t), reach(unknown, t)
		tpr, fpr, precision := tp/float64(len(inlier)), fp/float64(len(unknown)), tp/(tp+fp)
		roc.TPR, roc.FPR = append(roc.TPR, tpr), append(roc.FPR, fpr)
		if tp == last {
			roc.AUROC += tpr / float64(len(unknown))
		}
		pr.Recall, pr.Precision = append(pr.Recall, tpr), append(pr.Precision, precision)
		pr.AUPR += (tp - last) / float64(len(inlier)) * precision
		if roc.FPR95 < 0 && tpr >= 0.95 {
			roc.FPR95 = fpr
		}
		last = tp
	}
	return roc, pr
}
