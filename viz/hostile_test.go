package viz

import (
	"image"
	"testing"

	"ffslab/viz/escape/hostile"
)

// Every text of a figure may be a name.
func TestHostileNamesStayNames(t *testing.T) {
	const name = hostile.Name
	for kind, make := range map[string]func() (*Figure, error){
		"bars": func() (*Figure, error) {
			return Bars{Title: name, YLabel: name, Categories: []string{name}, Groups: []BarGroup{{Name: name, Values: []float64{1}}}}.Figure()
		},
		"histogram": func() (*Figure, error) {
			return Histogram{Title: name, XLabel: name, Groups: []Group{{Name: name, Values: []float64{1, 2, 3}}}}.Figure()
		},
		"box plot": func() (*Figure, error) {
			return BoxPlot{Title: name, YLabel: name, Groups: []Group{{Name: name, Values: []float64{1, 2, 3}}}}.Figure()
		},
		"confusion": func() (*Figure, error) {
			return Confusion{Title: name, Rows: []string{name}, Columns: []string{name, "other"}, Counts: [][]int{{1, 2}}}.Figure()
		},
		"intervals": func() (*Figure, error) {
			return Intervals{Title: name, XLabel: name, Rows: []string{name}, Series: []IntervalSeries{{Name: name, Values: []float64{1}, Low: []float64{0}, High: []float64{2}}}}.Figure()
		},
		"sheet of detections": func() (*Figure, error) {
			return DetectionSheet([]Shot{{Image: image.NewRGBA(image.Rect(0, 0, 90, 90)), Caption: name, Boxes: []Box{{XYXY: [4]float64{9, 9, 50, 50}, Label: name}}}}, 1)
		},
		"detections": func() (*Figure, error) {
			return Detections(image.NewRGBA(image.Rect(0, 0, 90, 90)), []Box{{XYXY: [4]float64{9, 9, 50, 50}, Label: name}})
		},
		"contact sheet": func() (*Figure, error) {
			return ContactSheet([]image.Image{image.NewRGBA(image.Rect(0, 0, 90, 90))}, []string{name}, 1)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			figure, err := make()
			if err != nil {
				t.Fatal(err)
			}
			figure.Caption = name
			svg, err := figure.SVG()
			if err != nil {
				t.Fatal(err)
			}
			hostile.SVG(t, svg)
			page, err := figure.HTML()
			if err != nil {
				t.Fatal(err)
			}
			hostile.HTML(t, page)
			if csv, err := figure.CSV(); err != nil {
				t.Error(err)
			} else {
				hostile.CSV(t, string(csv))
			}
			if _, err := figure.PNG(); err != nil {
				t.Error(err)
			}
		})
	}
}
