package explore

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	gocmp "github.com/google/go-cmp/cmp"

	"ffslab/ffs/eval"
	"ffslab/ffs/internal/plotly"
	"ffslab/ffs/internal/python"
	"ffslab/viz/browser"
	"ffslab/viz/explorer"
)

// madeUp is a page of made-up numbers with so many objects in each of twelve known classes and two
// unknown sets: classes lie on a circle, unknown objects in its middle.
func madeUp(t testing.TB, each int) *explorer.Page {
	t.Helper()
	script, err := plotly.Script(t.Context(), os.Stderr)
	if errors.Is(err, python.ErrNoConnection) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	page := &explorer.Page{
		Axes: []string{"PC 1 (50 % of variance)", "PC 2 (20 % of variance)", "PC 3 (9 % of variance)"}, Caption: "Made-up <numbers>.",
		Columns: []explorer.Column{{Name: "t-SNE 1"}, {Name: "t-SNE 2"}, {Name: "distance", Unlike: true}, {Name: "knn", Score: true}},
		Planes:  []explorer.Plane{{Name: "t-SNE", X: "t-SNE 1", Y: "t-SNE 2"}, {Name: "distance and energy", X: "distance", Y: "energy"}},
		Draws:   explorer.Draws{Temperatures: []float64{0.5, 1, 1.5}, Seeds: []uint64{1, 2}, Drawn: 200, Selected: 10},
		Plotly:  script,
	}
	maker := &maker{objects: 14 * each}
	page.Source = maker
	rng := rand.New(rand.NewPCG(1, 2))
	for g := range 14 {
		group := explorer.Group{Name: fmt.Sprintf("class %d", g), Unknown: g >= 12}
		angle, radius := float64(g)*math.Pi/6, 10.0
		if group.Unknown {
			group.Name, radius = fmt.Sprintf("set:%d", g-11), 2
		}
		shade := color.Gray{uint8(15 * g)}
		for i := range each {
			picture := image.NewGray(image.Rect(0, 0, 60, 40))
			for k := range picture.Pix {
				picture.Pix[k] = shade.Y
			}
			if i == 0 {
				page.Pictures = append(page.Pictures, explorer.NewPicture(picture))
			}
			x, y := radius*math.Cos(angle)+1.5*rng.NormFloat64(), radius*math.Sin(angle)+1.5*rng.NormFloat64()
			energy := 0.5*math.Hypot(x, y) + rng.NormFloat64()
			o := explorer.Object{
				Position: []float64{x, y, rng.NormFloat64()}, Energy: energy, NLL: 100 - 3*energy + rng.NormFloat64(),
				Values: []float64{2 * x, -2 * y, 10 - energy, energy + rng.NormFloat64()}, Crop: picture.SubImage(image.Rect(10, 10, 30, 35)),
				Source: fmt.Sprintf("made up, %d.png", g), Picture: g, Box: [4]float64{10, 10, 30, 35},
			}
			if group.Unknown {
				o.Label = "lamp"
			}
			for range 3 {
				o.Nearest = append(o.Nearest, rng.IntN(maker.objects))
			}
			group.Objects = append(group.Objects, o)
		}
		page.Groups = append(page.Groups, group)
	}
	for k, name := range []string{"flow", "langevin", "gaussian"} {
		m := explorer.Method{Name: name, Density: "the " + name, Own: name == "gaussian", All: name == "langevin"}
		for _, temperature := range page.Draws.Temperatures {
			var seeds [][]explorer.Sample
			for _, seed := range page.Draws.Seeds {
				seeds = append(seeds, maker.samples(200, temperature, seed+uint64(10*k)))
			}
			m.Samples = append(m.Samples, seeds)
		}
		page.Draws.Methods = append(page.Draws.Methods, m)
	}
	path, err := maker.Path(t.Context(), 0, 2*each)
	if err != nil {
		t.Fatal(err)
	}
	page.Paths = []explorer.Path{path}
	s := explorer.Surface{X: [2]float64{-1, 3}, Y: [2]float64{-1, 3}, Corners: [3]explorer.Corner{{Name: "class 0", Energy: 2}, {Name: "class 1", X: 2, Energy: 3}, {Name: "set:1", X: 1, Y: 2, Energy: -1}}}
	for j := range 9 {
		var row []float64
		for i := range 9 {
			row = append(row, 4*math.Sin(float64(i)/3)*math.Cos(float64(j)/4))
		}
		s.Z = append(s.Z, row)
	}
	page.Surfaces = []explorer.Surface{s}
	return page
}

// maker draws from a normal distribution.
type maker struct{ objects int }

func (m *maker) samples(n int, temperature float64, seed uint64) []explorer.Sample {
	rng := rand.New(rand.NewPCG(seed, 7))
	samples := make([]explorer.Sample, n)
	for i := range samples {
		x, y := 5*temperature*rng.NormFloat64(), 5*temperature*rng.NormFloat64()
		samples[i] = explorer.Sample{
			Position: []float64{x, y, 0}, Energy: 0.3 * math.Hypot(x, y), NLL: 100 + math.Hypot(x, y), Values: []float64{math.NaN(), math.NaN(), math.Hypot(x, y), 1},
			Nearest: []int{rng.IntN(m.objects), rng.IntN(m.objects), rng.IntN(m.objects)},
		}
	}
	return samples
}

func (m *maker) Draw(_ context.Context, method string, n int, temperature float64, seed uint64) ([]explorer.Sample, error) {
	if temperature > 50 {
		return nil, errors.New("the flow overflows")
	}
	return m.samples(n, temperature, seed), nil
}

func (m *maker) Path(_ context.Context, from, to int) (explorer.Path, error) {
	p := explorer.Path{From: from, To: to}
	for step := range 9 {
		s := m.samples(1, 0.1, uint64(from+to))[0]
		s.Energy = float64(from + step)
		p.Steps, p.Straight = append(p.Steps, s), append(p.Straight, float64(step))
	}
	return p, nil
}

// reader is someone who reads the page with mouse and keyboard.
type reader struct {
	*browser.Browser
	t     testing.TB
	page  *explorer.Page
	pause time.Duration // between two looks at what it waits for
}

const (
	// figureState counts what the page has drawn, figureIdle says that it draws nothing now.
	figureState = `Number(document.querySelector("figure.viz-explorer")?.dataset.state ?? 0)`
	figureIdle  = `document.querySelector("figure.viz-explorer").dataset.busy === undefined`
)

// until waits for the expression to be true.
func (r *reader) until(js string) {
	r.t.Helper()
	for begin := time.Now(); r.Text(r.t, js) != "true"; time.Sleep(r.pause) {
		if time.Since(begin) > 3*time.Minute {
			r.Screenshot(r.t, "waiting")
			r.t.Fatalf("it does not become true: %s", js)
		}
	}
}

// does acts, and waits until the page has drawn what changed.
func (r *reader) does(act func()) {
	r.t.Helper()
	r.until(figureIdle)
	before := r.Text(r.t, figureState)
	act()
	r.until(figureState + " > " + before + " && " + figureIdle)
}

func (r *reader) run(action chromedp.Action[chromedp.Void]) {
	r.t.Helper()
	if err := chromedp.Do(r.Context, action); err != nil {
		r.t.Fatal(err)
	}
}

// drag presses the mouse button at the first place, moves through the others and lets go.
func (r *reader) drag(places [][2]float64, modifiers ...chromedp.Modifier) {
	r.t.Helper()
	press := []chromedp.MouseOption{chromedp.ButtonLeft, chromedp.ClickCount(1), chromedp.ButtonModifiers(modifiers...)}
	first, last := places[0], places[len(places)-1]
	r.run(chromedp.MouseEvent(chromedp.MouseMoved, first[0], first[1]))
	r.run(chromedp.MouseEvent(chromedp.MousePressed, first[0], first[1], press...))
	for i := range places[1:] {
		for step := 1.0; step <= 4; step++ {
			x, y := places[i][0]+(places[i+1][0]-places[i][0])*step/4, places[i][1]+(places[i+1][1]-places[i][1])*step/4
			r.run(chromedp.MouseEvent(chromedp.MouseMoved, x, y, press...))
		}
	}
	r.run(chromedp.MouseEvent(chromedp.MouseReleased, last[0], last[1], press...))
}

// middle is the middle of an element, scrolled into view.
func (r *reader) middle(selector string) [2]float64 {
	r.t.Helper()
	text := r.Text(r.t, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()`, selector))
	return [2]float64(numbersIn(r.t, text))
}

func (r *reader) click(selector string) {
	r.t.Helper()
	at := r.middle(selector)
	r.run(chromedp.MouseClickXY(at[0], at[1]))
}

// choose sets a control as a keyboard does: its value, then the event.
func (r *reader) choose(control, value string) {
	r.t.Helper()
	r.does(func() { r.set(control, value) })
}

func (r *reader) set(control, value string) {
	r.t.Helper()
	r.Text(r.t, fmt.Sprintf(`(() => { const c = document.querySelector('[data-set="%s"]'); c.value = %q; c.dispatchEvent(new Event("input", {bubbles: true})); return ""; })()`, control, value))
}

// pixel is where the scatter plot shows a place of its plane.
func (r *reader) pixel(x, y float64) [2]float64 {
	r.t.Helper()
	text := r.Text(r.t, fmt.Sprintf(`(() => {
		const plot = document.querySelector("[data-show=scatter]"), {xaxis, yaxis, _size} = plot._fullLayout, box = plot.getBoundingClientRect();
		return [box.left + _size.l + xaxis.d2p(%v), box.top + _size.t + yaxis.d2p(%v)];
	})()`, x, y))
	return [2]float64(numbersIn(r.t, text))
}

func numbersIn(t testing.TB, text string) []float64 {
	t.Helper()
	var all []float64
	for field := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		all = append(all, v)
	}
	return all
}

// exported is the selection as the page writes it in JSON.
func (r *reader) exported() explorer.Selection {
	r.t.Helper()
	r.choose("format", "json")
	var s explorer.Selection
	if err := json.Unmarshal([]byte(r.Text(r.t, `document.querySelector("[data-show=export]").value`)), &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *reader) objects() []explorer.Object {
	var all []explorer.Object
	for _, g := range r.page.Groups {
		all = append(all, g.Objects...)
	}
	return all
}

// within are the objects and the draws that lie in a rectangle of the plane.
func (r *reader) within(low, high [2]float64, samples []explorer.Sample) (objects, draws []int) {
	in := func(p []float64) bool { return p[0] > low[0] && p[0] < high[0] && p[1] > low[1] && p[1] < high[1] }
	for i, o := range r.objects() {
		if in(o.Position) {
			objects = append(objects, i)
		}
	}
	for i, s := range samples {
		if in(s.Position) {
			draws = append(draws, i)
		}
	}
	return objects, draws
}

// clearOf moves a corner of a rectangle by less than 1 to where most room is between points, so
// that no pixel decides what lies inside.
func (r *reader) clearOf(corner [2]float64, samples []explorer.Sample) [2]float64 {
	for axis := range corner {
		near := []float64{corner[axis] - 1, corner[axis] + 1}
		add := func(v float64) {
			if v > near[0] && v < near[1] {
				near = append(near, v)
			}
		}
		for _, o := range r.objects() {
			add(o.Position[axis])
		}
		for _, s := range samples {
			add(s.Position[axis])
		}
		slices.Sort(near)
		widest := 0.0
		for i := range near[1:] {
			if gap := near[i+1] - near[i]; gap > widest {
				widest, corner[axis] = gap, (near[i]+near[i+1])/2
			}
		}
	}
	return corner
}

// lasso draws around a rectangle of the plane.
func (r *reader) lasso(low, high [2]float64, modifiers ...chromedp.Modifier) {
	r.t.Helper()
	r.middle("[data-show=scatter]") // into view
	r.does(func() {
		a, b := r.pixel(low[0], low[1]), r.pixel(high[0], high[1])
		r.drag([][2]float64{{a[0], a[1]}, {b[0], a[1]}, {b[0], b[1]}, {a[0], b[1]}, {a[0], a[1]}}, modifiers...)
	})
}

// lassoAll draws around everything within the axes.
func (r *reader) lassoAll() {
	r.t.Helper()
	ends := numbersIn(r.t, r.Text(r.t, `(() => { const {xaxis, yaxis} = document.querySelector("[data-show=scatter]").layout; return [...xaxis.range, ...yaxis.range]; })()`))
	dx, dy := (ends[1]-ends[0])/200, (ends[3]-ends[2])/200
	r.lasso([2]float64{ends[0] + dx, ends[2] + dy}, [2]float64{ends[1] - dx, ends[3] - dy})
}

// open serves the page live, and opens it. ended gets the error of Serve.
func open(t *testing.T, page *explorer.Page, width, height int) (r *reader, ended <-chan error) {
	t.Helper()
	r = &reader{browser.Open(t, width, height), t, page, 25 * time.Millisecond}
	address, end := make(chan string, 1), make(chan error, 1)
	go func() {
		end <- page.Serve(t.Context(), func(_, url string) error { address <- url; return nil })
	}()
	select {
	case url := <-address:
		r.run(chromedp.Navigate(url))
	case err := <-end:
		t.Fatal(err)
	}
	r.until(figureState + " > 0")
	return r, end
}

// TestExplorerExportsManyPoints checks that all of a large selection is downloaded, though its text
// on the page ends early.
func TestExplorerExportsManyPoints(t *testing.T) {
	r, _ := open(t, madeUp(t, 60), 1400, 1000)
	r.lassoAll()
	s := r.Text(t, `document.querySelector("[data-show=selection]").textContent`)
	var objects, draws int
	if _, err := fmt.Sscanf(s, "Selected: %d real objects, %d draws", &objects, &draws); err != nil || objects < 800 {
		t.Fatalf("%q, %v: want more than 800 objects", s, err)
	}
	r.Text(t, `URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return "#"; }`)
	for _, format := range []string{"csv", "json", "go"} {
		r.choose("format", format)
		text := r.Text(t, `document.querySelector("[data-show=export]").value`)
		if end := fmt.Sprintf("\nand %d more: copy and download take all\n", objects+draws-500); !strings.HasSuffix(text, end) {
			t.Errorf("%s: the text on the page ends with %q, want %q", format, text[max(0, len(text)-80):], end)
		}
		r.Text(t, "window.saved = undefined")
		r.click("[data-do=download]")
		r.until("window.saved !== undefined")
		saved := r.Text(t, "window.saved")
		switch format {
		case "csv":
			rows, err := csv.NewReader(strings.NewReader(saved)).ReadAll()
			if err != nil || len(rows) != 1+objects+draws {
				t.Errorf("%d rows, %v; want %d", len(rows), err, 1+objects+draws)
			}
		case "json":
			var got explorer.Selection
			if err := json.Unmarshal([]byte(saved), &got); err != nil || len(got.Objects) != objects || len(got.Draws) != draws {
				t.Errorf("%d objects and %d draws, %v; want %d and %d", len(got.Objects), len(got.Draws), err, objects, draws)
			}
		case "go":
			if n := strings.Count(saved, ", "); n < objects+draws {
				t.Errorf("%d numbers in the Go literal of %d points", n, objects+draws)
			}
		}
	}
	r.NoFaults(t)
}

func TestExplorerSelectsAndExports(t *testing.T) {
	r, ended := open(t, madeUp(t, 20), 1400, 1000)
	t.Logf("opened in %s ms", r.Text(t, `document.querySelector("figure").dataset.opened`))

	// What the lasso encloses, and nothing else, is exported, in every form.
	stored := r.page.Draws.Methods[0].Samples[1][0]
	low, high := r.clearOf([2]float64{3, -2}, stored), r.clearOf([2]float64{8, 6}, stored)
	objects, draws := r.within(low, high, stored)
	r.lasso(low, high)
	if len(objects) < 8 || len(draws) < 5 {
		t.Fatalf("the lasso holds %d objects and %d draws: choose another", len(objects), len(draws))
	}
	want := explorer.Selection{Objects: objects, Method: "flow", Temperature: 1, Seed: 1, Drawn: 200, Draws: draws}
	if diff := gocmp.Diff(want, r.exported()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	r.choose("format", "csv")
	rows, err := csv.NewReader(strings.NewReader(r.Text(t, `document.querySelector("[data-show=export]").value`))).ReadAll()
	if err != nil || len(rows) != 1+len(objects)+len(draws) {
		t.Fatalf("CSV: %d rows, %v; want %d", len(rows), err, 1+len(objects)+len(draws))
	}
	energy := slices.Index(rows[0], "energy")
	for i, row := range rows[1:] {
		index, value := want.Draws, 0.0
		k := i - len(objects)
		if i < len(objects) {
			index, k = objects, i
			value = r.objects()[objects[i]].Energy
		} else {
			value = r.page.Draws.Methods[0].Samples[1][0][draws[k]].Energy
		}
		if got, err := strconv.ParseFloat(row[energy], 64); err != nil || got != float64(float32(value)) || row[1] != strconv.Itoa(index[k]) {
			t.Errorf("CSV, row %d: index %s, energy %s, %v; want %d, %v", i+1, row[1], row[energy], err, index[k], value)
		}
	}
	r.choose("format", "go")
	checkLiteral(t, r.Text(t, `document.querySelector("[data-show=export]").value`), want)
	if n := r.Text(t, `document.querySelectorAll("[data-show=sheet] .crop").length`); n != strconv.Itoa(len(objects)) {
		t.Errorf("%s crops of %d selected objects", n, len(objects))
	}
	r.Screenshot(t, "lasso")

	// With shift, a second one adds; a series that is switched off is not selected.
	r.does(func() { r.click("[data-switch=g2]") })
	low, high = r.clearOf([2]float64{-9, 1}, stored), r.clearOf([2]float64{-3, 7}, stored)
	more, moreDraws := r.within(low, high, stored)
	r.lasso(low, high, chromedp.ModifierShift)
	all := slices.Concat(objects, more)
	slices.Sort(all)
	if got := r.exported(); !slices.Equal(got.Objects, all) || len(got.Draws) != len(draws)+len(moreDraws) {
		t.Errorf("with shift %v and %d draws, want %v and %d", got.Objects, len(got.Draws), all, len(draws)+len(moreDraws))
	}
	r.does(func() { r.click(`[data-do="clear"]`) })
	r.lassoAll()
	for _, i := range r.exported().Objects {
		if i/20 == 2 {
			t.Fatalf("object %d of the class that is switched off is selected", i)
		}
	}
	count := func(series string) string {
		return r.Text(t, fmt.Sprintf(`document.querySelector("[data-series=%s]").cells[2].textContent`, series))
	}
	if g2, g3 := count("g2"), count("g3"); g2 != "0" || g3 != "20" {
		t.Errorf("the legend counts %s of the class that is off and %s of another, want 0 and 20", g2, g3)
	}
	// Switching with the keyboard; ten classes have entries of their own, the others one.
	r.does(func() {
		r.Text(t, `document.querySelector("[data-switch=g2]").focus()`)
		r.run(chromedp.KeyEvent(" "))
	})
	if n := r.Text(t, `document.querySelectorAll("[data-show=scatter]")[0].data.filter((trace) => trace.name?.startsWith("class")).map((trace) => trace.marker.symbol + trace.marker.color).filter((v, i, all) => all.indexOf(v) === i).length`); n != "10" {
		t.Errorf("%s classes look different, want 10", n)
	}
	if text := r.Text(t, `document.querySelector("[data-series=other] label").innerText`); text != "other classes (2)" {
		t.Errorf("the others are called %q", text)
	}

	// The cell goes on with the selection.
	selected := r.exported()
	r.does(func() { r.click(`[data-do="end"]`) })
	select {
	case err := <-ended:
		if diff := gocmp.Diff(selected, r.page.Selection()); err != nil || diff != "" {
			t.Errorf("the cell's selection: %v (-want +got):\n%s", err, diff)
		}
	case <-time.After(20 * time.Second):
		t.Error("the cell does not go on")
	}
	r.NoFaults(t)
}

// checkLiteral reads the Go literal of a selection.
func checkLiteral(t *testing.T, text string, want explorer.Selection) {
	t.Helper()
	_, literal, _ := strings.Cut(text, ":=")
	expression, err := parser.ParseExpr(literal)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got := map[string]string{}
	for _, element := range expression.(*ast.CompositeLit).Elts {
		pair := element.(*ast.KeyValueExpr)
		switch value := pair.Value.(type) {
		case *ast.BasicLit:
			got[pair.Key.(*ast.Ident).Name] = value.Value
		case *ast.CompositeLit:
			var all []string
			for _, e := range value.Elts {
				all = append(all, e.(*ast.BasicLit).Value)
			}
			got[pair.Key.(*ast.Ident).Name] = "[" + strings.Join(all, " ") + "]"
		}
	}
	wanted := map[string]string{
		"Objects": fmt.Sprint(want.Objects), "Draws": fmt.Sprint(want.Draws), "Method": strconv.Quote(want.Method), "Temperature": fmt.Sprint(want.Temperature),
		"Seed": fmt.Sprint(want.Seed), "Drawn": fmt.Sprint(want.Drawn),
	}
	if diff := gocmp.Diff(wanted, got); diff != "" {
		t.Errorf("Go literal (-want +got):\n%s", diff)
	}
}

func TestExplorerLinksAndMeasures(t *testing.T) {
	r, _ := open(t, madeUp(t, 60), 1400, 1000)
	var known, unknown []float64
	for _, g := range r.page.Groups {
		for _, o := range g.Objects {
			if g.Unknown {
				unknown = append(unknown, float64(float32(o.Energy)))
			} else {
				known = append(known, float64(float32(o.Energy)))
			}
		}
	}
	separation, err := eval.Separate(known, unknown)
	if err != nil {
		t.Fatal(err)
	}
	shown := func(what string) float64 {
		return numbersIn(t, r.Text(t, fmt.Sprintf(`document.querySelector("[data-show=separation-1]").dataset.%s`, what)))[0]
	}
	if auroc, fpr := shown("auroc"), shown("fpr95"); math.Abs(auroc-separation.AUROC) > 1e-12 || fpr != separation.FPR95 {
		t.Errorf("AUROC %v and FPR95 %v, want %v and %v", auroc, fpr, separation.AUROC, separation.FPR95)
	}
	threshold := func() float64 {
		return numbersIn(t, r.Text(t, `document.querySelector("[data-set=threshold-1]").ariaValueNow`))[0]
	}
	if got := threshold(); got != separation.ThresholdTPR95 {
		t.Errorf("the threshold starts at %v, want %v", got, separation.ThresholdTPR95)
	}
	checkCounts := func(what string) {
		t.Helper()
		at := threshold()
		passing := func(values []float64) (n int) {
			for _, v := range values {
				if v >= at {
					n++
				}
			}
			return n
		}
		want := fmt.Sprintf("%d,%d,%d,%d", passing(known), len(known), passing(unknown), len(unknown))
		if got := r.Text(t, `document.querySelector("[data-show=counts-1]").dataset.counts`); got != want {
			t.Errorf("%s to %v: counts %s, want %s", what, at, got, want)
		}
	}
	checkCounts("at the start")
	for _, by := range []float64{80, -35} {
		before := threshold()
		at := r.middle("[data-set=threshold-1]")
		r.does(func() { r.drag([][2]float64{at, {at[0] + by, at[1]}}) })
		if threshold() == before {
			t.Errorf("dragging the threshold by %v pixels does not move it", by)
		}
		checkCounts("dragged")
	}
	before := threshold()
	r.does(func() { r.run(chromedp.KeyEvent(kb.ArrowRight)) }) // the drag left the focus there
	if threshold() <= before {
		t.Errorf("the arrow key moves the threshold from %v to %v", before, threshold())
	}
	checkCounts("with the arrow key")

	// A stretch of the histogram selects; the scatter plot shows the same points.
	box := numbersIn(t, r.Text(t, `(() => { const b = document.querySelector("[data-show=histogram-1]").parentElement.querySelector(".cover").getBoundingClientRect(); return [b.left, b.right, (b.top + b.bottom) / 2]; })()`))
	a, z := box[0]+0.75*(box[1]-box[0]), box[0]+0.95*(box[1]-box[0])
	r.does(func() { r.drag([][2]float64{{a, box[2]}, {z, box[2]}}) })
	span := numbersIn(t, r.Text(t, `document.querySelector("[data-show=histogram-1]").layout.xaxis.range`))
	low, high := span[0]+0.75*(span[1]-span[0]), span[0]+0.95*(span[1]-span[0])
	slack := 2 / (box[1] - box[0]) * (span[1] - span[0])
	got := r.exported()
	for i, o := range r.objects() {
		in := slices.Contains(got.Objects, i)
		if o.Energy > low+slack && o.Energy < high-slack && !in || (o.Energy < low-slack || o.Energy > high+slack) && in {
			t.Errorf("object %d with energy %v: selected %v by %v to %v", i, o.Energy, in, low, high)
		}
	}
	marked := r.Text(t, `document.querySelector("[data-show=scatter]").data.reduce((sum, trace) => sum + (trace.selectedpoints?.length ?? 0), 0)`)
	if n := len(got.Objects) + len(got.Draws); marked != strconv.Itoa(n) || n == 0 {
		t.Errorf("the scatter plot marks %s of %d selected points", marked, n)
	}

	// Colour by a number: every point has its own, on both sides of the threshold.
	r.choose("color", "4")
	colors := r.Text(t, `(() => { const {data, layout} = document.querySelector("[data-show=scatter]"); const trace = data.find((trace) => trace.name === "class 0");
		return [(layout.coloraxis.cmin + layout.coloraxis.cmax) / 2, ...trace.marker.color]; })()`)
	for i, v := range numbersIn(t, colors) {
		want := threshold()
		if i > 0 {
			want = float64(float32(r.page.Groups[0].Objects[i-1].Energy))
		}
		if math.Abs(v-want) > 1e-6 {
			t.Errorf("colour %d is that of %v, want %v", i, v, want)
		}
	}
	r.Screenshot(t, "energy")
	r.choose("plane", "1")
	if text := r.Text(t, `document.querySelector("[data-show=outside]").textContent`); !strings.Contains(text, "Without a place in this plane: 200") {
		t.Errorf("t-SNE, which the draws have no place in: %q", text)
	}
	r.choose("plane", "2")
	if labels := r.Text(t, `(() => { const {xaxis, yaxis} = document.querySelector("[data-show=scatter]").layout; return [xaxis.title.text, yaxis.title.text]; })()`); labels != "distance,energy" {
		t.Errorf("axes %s, want distance and energy", labels)
	}
	r.choose("plane", "0")

	// A click on an object shows its whole picture, its box and its numbers.
	r.middle("[data-show=scatter]")
	object := r.page.Groups[3].Objects[5]
	at := r.pixel(object.Position[0], object.Position[1])
	r.does(func() { r.run(chromedp.MouseClickXY(at[0], at[1])) })
	if text := r.Text(t, `document.querySelector("[data-show=chosen]").textContent`); text != "class class 3" {
		t.Errorf("a click on an object of class 3 chooses %q", text)
	}
	if boxes := r.Text(t, `(() => { const b = document.querySelector("[data-show=whole] .box").style; return [b.left, b.top, b.width, b.height].map(parseFloat); })()`); boxes != "16.6667,25,33.3333,62.5" {
		t.Errorf("the box lies at %s %% of the picture", boxes)
	}
	if n := r.Text(t, `document.querySelectorAll("[data-show=crops] .crop").length`); n != "3" {
		t.Errorf("%s nearest objects, want 3", n)
	}

	// The list holds every point, and selects with the keyboard.
	r.does(func() { r.click(".list summary") })
	r.does(func() {
		r.Text(t, `document.querySelector("[data-tick]").focus()`)
		r.run(chromedp.KeyEvent(" "))
	})
	if now := r.exported(); len(now.Objects)+len(now.Draws) != len(got.Objects)+len(got.Draws)+1 {
		t.Errorf("ticking the first of the list: %d points, want one more than %d", len(now.Objects)+len(now.Draws), len(got.Objects)+len(got.Draws))
	}

	// The plot as vectors, and as pixels.
	for kind, begin := range map[string]string{"svg": "data:image/svg+xml", "png": "data:image/png;base64,"} {
		r.Text(t, `delete document.querySelector("figure").dataset.picture`)
		r.click(fmt.Sprintf("[data-do=%s]", kind))
		r.until(`document.querySelector("figure").dataset.picture !== undefined`)
		text := r.Text(t, `document.querySelector("figure").dataset.picture`)
		if !strings.HasPrefix(text, begin) || kind == "svg" && strings.Contains(text[:min(len(text), 5000)], "data:image/png") {
			t.Errorf("%s begins %.80q", kind, text)
		}
	}
	r.NoFaults(t)
}

func TestExplorerDrawsLive(t *testing.T) {
	page := madeUp(t, 20)
	r, ended := open(t, page, 1400, 1000)
	summary := func() string { return r.Text(t, `document.querySelector("[data-show=summary]").textContent`) }
	// Stored draws first: the axes follow, and so does the number kept.
	before := r.Text(t, `document.querySelector("[data-show=scatter]").layout.xaxis.range`)
	r.choose("temperature", "2")
	if after := r.Text(t, `document.querySelector("[data-show=scatter]").layout.xaxis.range`); after == before {
		t.Error("the axes do not follow the temperature")
	}
	r.choose("selected", "25")
	if text := summary(); !strings.HasPrefix(text, "25 of 200 drawn are kept") {
		t.Errorf("25 kept: %q", text)
	}
	r.choose("method", "langevin")
	if text := summary(); !strings.HasPrefix(text, "200 of 200 drawn are kept") {
		t.Errorf("a method that keeps all: %q", text)
	}
	r.choose("method", "flow")

	r.until(`!document.querySelector("[data-set=live]").closest("[hidden]")`)
	r.does(func() { r.click("[data-set=live]") })
	for control, value := range map[string]string{"live-temperature": "0.37", "live-number": "77", "live-seed": "12"} {
		r.set(control, value)
	}
	r.until(`document.querySelector("[data-show=live]").dataset.draw === "flow,77,0.37,12"`)
	r.until(`document.querySelector("[data-show=summary]").textContent.startsWith("25 of 77 drawn")`)
	want := (&maker{14 * 20}).samples(77, 0.37, 12)
	slices.SortStableFunc(want, func(a, b explorer.Sample) int { return cmp.Compare(b.NLL, a.NLL) })
	sum := 0.0
	for _, s := range want[:25] {
		sum += s.Energy
	}
	if text := r.Text(t, `document.querySelector("[data-series=kept]").cells[3].textContent`); text != fmt.Sprintf("%.2f", sum/25) {
		t.Errorf("mean energy of the kept ones %s, want %.2f", text, sum/25)
	}
	r.lassoAll()
	if got := r.exported(); got.Temperature != 0.37 || got.Seed != 12 || got.Drawn != 77 || len(got.Draws) < 70 {
		t.Errorf("the selection %+v is not of the fresh draw", got)
	}
	r.set("live-temperature", "60")
	r.until(`document.querySelector("[data-show=live]").textContent.includes("the flow overflows")`)

	// The way between two objects that the page has none for.
	r.does(func() { r.click(`[data-do="clear"]`) })
	r.does(func() { r.click(".list summary") })
	r.choose("order", "7") // energy, descending: real objects first
	var two []int
	for _, tick := range numbersIn(t, r.Text(t, `[...document.querySelectorAll("[data-tick]")].map((box) => box.dataset.tick).filter((id) => id < 280).slice(0, 2)`)) {
		two = append(two, int(tick))
		r.does(func() { r.click(fmt.Sprintf(`[data-tick="%v"]`, tick)) })
	}
	r.does(func() { r.click(`[data-do="between"]`) })
	halfway := fmt.Sprintf("energy %d.00", two[0]+4) // the fifth of nine steps from the first
	if text := r.Text(t, `document.querySelector("[data-show=path]").textContent`); !strings.Contains(text, halfway) {
		t.Errorf("half-way between objects %v: %q, want %s", two, text, halfway)
	}
	r.Screenshot(t, "live")
	r.does(func() { r.click(`[data-do="end"]`) })
	if err := <-ended; err != nil {
		t.Error(err)
	}
	r.NoFaults(t)
}

// The page without a process behind it, on a phone and in the dark.
func TestExplorerOnAPhone(t *testing.T) {
	page, path := madeUp(t, 20), filepath.Join(t.TempDir(), "page.html")
	if err := page.Save(path); err != nil {
		t.Fatal(err)
	}
	r := &reader{browser.Open(t, 1300, 900), t, page, 25 * time.Millisecond}
	if err := chromedp.Do(r.Context, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Navigate("file://"+path)); err != nil {
		t.Fatal(err)
	}
	r.until(figureState + " > 0")
	if text := r.Text(t, `[document.documentElement.scrollWidth, innerWidth]`); text != "390,390" {
		t.Errorf("the page and its window are %s wide, want 390 both", text)
	}
	if hidden := r.Text(t, `document.querySelector("[data-set=live]").closest("[hidden]") !== null`); hidden != "true" {
		t.Error("a page from a file offers fresh draws")
	}
	r.does(func() { r.click(".list summary") })
	if wide := r.Text(t, `document.documentElement.scrollWidth`); wide != "390" {
		t.Errorf("with the list open the page is %s wide", wide)
	}
	r.does(func() { r.click(".list summary") })
	r.Screenshot(t, "phone")
	if drawn := r.Text(t, `"data" in document.querySelector("[data-show=surface]")`); drawn != "false" {
		t.Error("the energy around the means is drawn before a reader scrolls to it")
	}
	r.until(`(document.querySelector("[data-show=surface]").scrollIntoView(), "data" in document.querySelector("[data-show=surface]"))`)
	dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
	r.does(func() {
		r.run(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, dark)
			return err
		}))
	})
	// What is far from the window is drawn when it comes near.
	r.until(`(document.querySelector("[data-show=scatter]").scrollIntoView(), document.querySelector("[data-show=scatter]").layout.font.color === "#dddddd")`)
	if text := r.Text(t, `[getComputedStyle(document.querySelector("figure")).backgroundColor, document.querySelector("[data-show=scatter]").layout.font.color]`); text != "rgb(27, 27, 29),#dddddd" {
		t.Errorf("in the dark: %s", text)
	}
	r.Screenshot(t, "dark-phone")
	r.NoFaults(t)
	for _, address := range r.Asked() {
		if scheme, _, _ := strings.Cut(address, ":"); !slices.Contains([]string{"file", "data", "blob"}, scheme) {
			t.Errorf("the page asked for %s", address)
		}
	}
}

// Without Plotly the page says so.
func TestExplorerWithoutPlotly(t *testing.T) {
	page := madeUp(t, 3)
	page.Plotly, page.Remedy = nil, plotly.Remedy
	path := filepath.Join(t.TempDir(), "page.html")
	if err := page.Save(path); err != nil {
		t.Fatal(err)
	}
	r := &reader{browser.Open(t, 800, 600), t, page, 25 * time.Millisecond}
	r.run(chromedp.Navigate("file://" + path))
	r.until(`document.querySelector(".absent").textContent.startsWith("Plotly.js is missing") && document.querySelector(".absent").textContent.includes("pip")`)
	r.NoFaults(t)
}

// BenchmarkExplorer measures, with 5000 points, how soon the page is there when it is opened from a
// file, and what a reader's actions cost: the processor's time, since the clock's is mostly that of
// others on a busy machine, and the time by the page's clock until all is drawn again.
//
//	go test ./ffs/explore -run '^$' -bench Explorer -benchtime 1x -v
func BenchmarkExplorer(b *testing.B) {
	page, path := madeUp(b, 343), filepath.Join(b.TempDir(), "page.html")
	if err := page.Save(path); err != nil {
		b.Fatal(err)
	}
	r := &reader{browser.Open(b, 1400, 1000), b, page, 200 * time.Millisecond}
	send := func(commands ...cdp.Command[cdp.Empty, cdp.Empty]) {
		r.run(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			for _, c := range commands {
				if _, err := cdp.Call(ctx, target, c, cdp.Empty{}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	// Nobody watches a reader's page: what chromedp asks of Chromium halves the speed of scripts.
	send(runtime.Disable, log.Disable, network.Disable, css.Disable, dom.Disable)
	r.run(chromedp.Navigate("file://" + path))
	r.until(figureState + " > 0")
	send(runtime.Enable)
	b.Logf("opened from a file of %s bytes: loaded after %s ms, drawn after %s ms",
		r.Text(b, `performance.getEntriesByType("navigation")[0].decodedBodySize`), r.Text(b, `performance.getEntriesByType("navigation")[0].loadEventEnd.toFixed(0)`),
		r.Text(b, `document.querySelector("figure").dataset.opened`))
	enabled := performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}
	r.run(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, performance.Enable, enabled)
		return err
	}))
	busy := func() float64 {
		found, err := chromedp.Run(r.Context, func(ctx context.Context, target *chromedp.Target) (performance.GetMetricsResult, error) {
			return cdp.Call(ctx, target, performance.GetMetrics, cdp.Empty{})
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, m := range found.Metrics {
			if m.Name == "TaskDuration" {
				return 1000 * m.Value
			}
		}
		b.Fatal("the browser does not say how long its tasks took")
		return 0
	}
	measured := func(what string, times int, act func()) {
		b.Helper()
		r.until(figureIdle)
		before := busy()
		act()
		r.until(figureIdle)
		each := (busy() - before) / float64(times)
		b.ReportMetric(each, strings.ReplaceAll(what, " ", "-")+"-ms")
		b.Logf("%s: %.0f ms of the processor; drawn in %s ms by the page's clock", what, each, r.Text(b, `document.querySelector("figure").dataset.redraw`))
	}
	for b.Loop() {
		for _, change := range [][2]string{{"temperature", "2"}, {"seed", "1"}, {"temperature", "0"}, {"seed", "0"}, {"color", "4"}, {"color", "0"}, {"plane", "1"}, {"plane", "0"}} {
			measured(change[0]+" "+change[1], 1, func() { r.choose(change[0], change[1]) })
		}
		measured("legend", 1, func() { r.does(func() { r.click("[data-switch=g2]") }) })
		measured("lasso", 1, r.lassoAll)
		at := r.middle("[data-show=scatter]")
		measured("hover", 20, func() {
			for i := range 20 {
				r.run(chromedp.MouseEvent(chromedp.MouseMoved, at[0]+7*float64(i), at[1]+5*float64(i)))
			}
		})
		handle := r.middle("[data-set=threshold-1]")
		var path [][2]float64
		for i := range 21 {
			path = append(path, [2]float64{handle[0] + 5*float64(i), handle[1]})
		}
		measured("threshold", 80, func() { r.drag(path) })
	}
	r.NoFaults(b)
}
