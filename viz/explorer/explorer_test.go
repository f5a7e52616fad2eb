package explorer

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/viz/escape/hostile"
)

// made is a page of made-up numbers: two known classes, two unknown sets, three methods at three
// temperatures with two seeds.
func made() *Page {
	rng := rand.New(rand.NewPCG(1, 2))
	position := func(x, y, spread float64) []float64 {
		return []float64{x + spread*rng.NormFloat64(), y + spread*rng.NormFloat64(), spread * rng.NormFloat64()}
	}
	p := &Page{Axes: []string{"PC 1 (50 % of variance)", "PC 2 (20 % of variance)", "PC 3 (9 % of variance)"}, Caption: "Made-up <numbers>.", Columns: []Column{{Name: "knn", Score: true}}, Plotly: []byte("plotly"), Remedy: "Do <this>."}
	shade := uint8(0)
	for g, name := range []string{"red", "blue", "set:near", "set:far"} {
		group := Group{Name: name, Unknown: g >= 2}
		for range 12 {
			shade += 5
			crop := image.NewRGBA(image.Rect(0, 0, 20, 10+g))
			for i := range crop.Pix {
				crop.Pix[i] = shade
			}
			crop.Set(3, 3, color.White)
			group.Objects = append(group.Objects, Object{Label: map[bool]string{true: "lamp"}[g >= 2], Position: position(float64(3*g), float64(g%2), 0.7), NLL: 100 + 5*float64(g) + rng.Float64(), Energy: 4 - float64(g), Values: []float64{float64(g)}, Nearest: []int{0, 1, 2}, Crop: crop})
		}
		p.Groups = append(p.Groups, group)
	}
	sample := func(x, y, spread float64) Sample {
		s := Sample{Position: position(x, y, spread), NLL: 100 + 20*spread*rng.ExpFloat64(), Energy: 3 - rng.ExpFloat64()}
		for range 3 {
			s.Nearest = append(s.Nearest, rng.IntN(48))
		}
		return s
	}
	p.Draws = Draws{Temperatures: []float64{0.5, 1, 1.5}, Seeds: []uint64{1, 2}, Drawn: 40, Selected: 4}
	for _, name := range []string{"flow", "langevin", "gaussian"} {
		m := Method{Name: name, Density: "the " + name, Own: name == "gaussian", All: name == "langevin"}
		for _, temperature := range p.Draws.Temperatures {
			var seeds [][]Sample
			for range p.Draws.Seeds {
				var samples []Sample
				for range 50 {
					samples = append(samples, sample(4, 0.5, 2*temperature))
				}
				seeds = append(seeds, samples)
			}
			m.Samples = append(m.Samples, seeds)
		}
		p.Draws.Methods = append(p.Draws.Methods, m)
	}
	ends := []int{0, 13, 25}
	for i, from := range ends {
		for _, to := range ends[i+1:] {
			path := Path{From: from, To: to}
			for step := range 9 {
				path.Steps = append(path.Steps, sample(float64(step), 0.5, 0.1))
				path.Straight = append(path.Straight, float64(step*from))
			}
			p.Paths = append(p.Paths, path)
		}
	}
	for _, third := range []string{"set:near", "set:far"} {
		s := Surface{X: [2]float64{-1, 3}, Y: [2]float64{-1, 3}, Corners: [3]Corner{{"red", 0, 0, 2}, {"blue", 2, 0, 3}, {third, 1, 2, -1}}}
		for j := range 9 {
			var row []float64
			for i := range 9 {
				row = append(row, 4*math.Sin(float64(i)/3)*math.Cos(float64(j)/4))
			}
			s.Z = append(s.Z, row)
		}
		p.Surfaces = append(p.Surfaces, s)
	}
	return p
}

// What the page reads are the numbers in their order, as 32-bit floats; a number that is not known
// is NaN.
func TestPoints(t *testing.T) {
	p := made()
	packed, err := p.payload()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"PC 1 (50 % of variance)", "PC 2 (20 % of variance)", "PC 3 (9 % of variance)", "energy", "NLL", "knn"}
	for i, c := range packed.Columns {
		if c.Name != names[i] {
			t.Errorf("column %d is %q, want %q", i, c.Name, names[i])
		}
	}
	read := func(text string) (values []float32) {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for word := range slices.Chunk(raw, 4) {
			values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(word)))
		}
		return values
	}
	at := 0
	for _, g := range p.Groups {
		for _, o := range g.Objects {
			for i, want := range append(slices.Clone(o.Position), o.Energy, o.NLL, o.Values[0]) {
				if got := read(packed.Objects.Columns[i])[at]; got != float32(want) {
					t.Errorf("object %d: %s is %v, want %v", at, names[i], got, want)
				}
			}
			at++
		}
	}
	if v := read(packed.Draws.Methods[0].Points.Columns[5])[0]; v == v {
		t.Errorf("a score that a sample does not have is %v, want NaN", v)
	}
}

// The ten most frequent classes have a colour and a shape each; the others share one.
func TestTenClassesLookDifferent(t *testing.T) {
	p := made()
	crop := p.Groups[0].Objects[0].Crop
	for i := range 11 {
		g := Group{Name: fmt.Sprint("class ", i)}
		for range i + 1 {
			g.Objects = append(g.Objects, Object{Position: []float64{0, 0, 0}, Crop: crop, Nearest: []int{0, 1, 2}})
		}
		p.Groups = append(p.Groups, g)
	}
	looks := map[string]bool{}
	var others []string
	for _, g := range p.groups() {
		if g.Other {
			others = append(others, g.Name)
			continue
		}
		if looks[g.Color] || looks[g.Shape] {
			t.Errorf("%s shares its colour %s or its shape %s", g.Name, g.Color, g.Shape)
		}
		looks[g.Color], looks[g.Shape] = true, true
	}
	if diff := cmp.Diff([]string{"class 0", "class 1", "class 2"}, others); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
}

// Many large pictures are made so small that they fit; the box stays in the pixels of the image
// itself.
func TestPicturesFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	noise := image.NewGray(image.Rect(0, 0, 640, 400))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(rng.Uint32())
	}
	var pictures []Picture
	for range 60 {
		pictures = append(pictures, NewPicture(noise))
	}
	packed, err := packPictures(pictures)
	if err != nil || len(packed) != len(pictures) {
		t.Fatalf("%d of %d pictures, %v", len(packed), len(pictures), err)
	}
	total := 0
	for _, p := range packed {
		total += len(p.JPEG) * 3 / 4
		if p.Width != 640 || p.Height != 400 {
			t.Fatalf("the image's size is %dx%d, want 640x400", p.Width, p.Height)
		}
	}
	if total > pictureBytes {
		t.Errorf("%d bytes, want %d at most", total, pictureBytes)
	}
	if _, err := packPictures([]Picture{{}}); err == nil {
		t.Error("an empty picture is no error")
	}
}

// The block is the same for the same page, and nothing in it can be taken for the end of the script
// or a picture from elsewhere.
func TestHTML(t *testing.T) {
	p := made()
	p.Groups[0].Name = "</script><b>"
	first, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.HTML()
	if err != nil || first != second {
		t.Errorf("two blocks of one page differ, error %v", err)
	}
	if n := strings.Count(first, "</script>"); n != 1 {
		t.Errorf("%d ends of scripts", n)
	}
	for _, bad := range []string{"https:", "<link", "src=", "<numbers>", "import "} {
		if strings.Contains(first, bad) {
			t.Errorf("the block holds %q", bad)
		}
	}
}

func TestFaultyPages(t *testing.T) {
	for want, spoil := range map[string]func(p *Page){
		"1 axes":                                       func(p *Page) { p.Axes = p.Axes[:1] },
		"0 objects":                                    func(p *Page) { p.Groups = nil },
		"object 1 has 2 components":                    func(p *Page) { p.Groups[0].Objects[1].Position = []float64{1, 2} },
		"there must be a method":                       func(p *Page) { p.Draws.Methods = nil },
		"the start, 4 of 51":                           func(p *Page) { p.Draws.Drawn = 51 },
		"draws at 2 of 3":                              func(p *Page) { p.Draws.Methods[1].Samples = p.Draws.Methods[1].Samples[:2] },
		"draws of 1 of 2 seeds":                        func(p *Page) { p.Draws.Methods[0].Samples[2] = p.Draws.Methods[0].Samples[2][:1] },
		"49 samples, elsewhere 50":                     func(p *Page) { p.Draws.Methods[1].Samples[1][1] = p.Draws.Methods[1].Samples[1][1][1:] },
		"there is no object 48":                        func(p *Page) { p.Draws.Methods[0].Samples[0][0][0].Nearest[2] = 48 },
		"a sample has 1 nearest":                       func(p *Page) { p.Draws.Methods[1].Samples[0][0][0].Nearest = []int{1} },
		"path from 0 to 13: a sample has 0 components": func(p *Page) { p.Paths[0].Steps[0].Position = nil },
		"path from 0 to 99":                            func(p *Page) { p.Paths[0].To = 99 },
		"9 steps and 8 straight":                       func(p *Page) { p.Paths[1].Straight = p.Paths[1].Straight[1:] },
		"surface 1: a square grid":                     func(p *Page) { p.Surfaces[1].Z = p.Surfaces[1].Z[1:] },
		"the crop of object 12 is":                     func(p *Page) { p.Groups[1].Objects[0].Crop = nil },
		"method flow: a sample: a position, energy or NLL is +Inf": func(p *Page) { p.Draws.Methods[0].Samples[0][0][3].Energy = math.Inf(1) },
		"object 3 has 2 values":      func(p *Page) { p.Groups[0].Objects[3].Values = []float64{1, 2} },
		"object 4 has 1 nearest":     func(p *Page) { p.Groups[0].Objects[4].Nearest = []int{1} },
		"there is no axis or column": func(p *Page) { p.Planes = []Plane{{"x", "energy", "nothing"}} },
		"there is no picture 7":      func(p *Page) { p.Pictures = []Picture{{image.Black, 1, 1}}; p.Groups[1].Objects[0].Picture = 7 },
	} {
		p := made()
		spoil(p)
		if _, err := p.HTML(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// The sheet holds every crop in its own square, whole and in its middle.
func TestSheet(t *testing.T) {
	var crops []image.Image
	for i := range sheetColumns + 2 {
		crop := image.NewGray(image.Rect(0, 0, 6, 12))
		for k := range crop.Pix {
			crop.Pix[k] = uint8(7 * i)
		}
		crops = append(crops, crop)
	}
	s, err := newSheet(crops)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{cropSide, sheetColumns, 2}, []int{s.Side, s.Columns, s.Rows}); diff != "" {
		t.Error(diff)
	}
	raw, err := base64.StdEncoding.DecodeString(s.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	sheet, _, err := image.Decode(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range crops {
		x, y := i%sheetColumns*cropSide, i/sheetColumns*cropSide
		middle := color.GrayModel.Convert(sheet.At(x+cropSide/2, y+cropSide/2)).(color.Gray).Y
		edge := color.GrayModel.Convert(sheet.At(x+2, y+cropSide/2)).(color.Gray).Y
		if math.Abs(float64(middle)-float64(7*i)) > 6 || edge < 245 {
			t.Errorf("crop %d: grey %d in the middle, want %d; %d at the side, want white", i, middle, 7*i, edge)
		}
	}
}

func TestHostileNamesStayNames(t *testing.T) {
	p := made()
	p.Caption = hostile.Name
	for i := range p.Groups {
		p.Groups[i].Name = fmt.Sprint(hostile.Name, i)
		for j := range p.Groups[i].Objects {
			p.Groups[i].Objects[j].Label = hostile.Name
		}
	}
	for i := range p.Draws.Methods {
		p.Draws.Methods[i].Name, p.Draws.Methods[i].Density = fmt.Sprint(hostile.Name, i), hostile.Name
	}
	page, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	hostile.HTML(t, page)
	if scripts := strings.Count(page, "<script"); scripts != 1 {
		t.Errorf("%d scripts, want 1", scripts)
	}
	// The page's script sets names as text, never as HTML.
	entries, err := files.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range entries {
		if text := readPage(t, file.Name()); strings.Contains(text, "innerHTML") || strings.Contains(text, "insertAdjacentHTML") || strings.Contains(text, "document.write") {
			t.Errorf("%s writes HTML", file.Name())
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := files.ReadFile("page/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
