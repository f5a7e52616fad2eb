package pictures

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
)

func TestPictureTellsUnknownObjects(t *testing.T) {
	energy := 2.0
	for _, test := range []struct {
		name       string
		thresholds protocol.Thresholds
		want       []string // style,label of the drawn boxes
	}{
		{"both", protocol.Thresholds{Score: 0.5, Energy: &energy}, []string{"red,inlier", ",unknown"}},
		{"no energy threshold", protocol.Thresholds{Score: 0.5}, []string{"red,inlier", "blue,inlier"}},
		{"sure ones", protocol.Thresholds{Score: 0.8, Energy: &energy}, []string{"red,inlier"}},
	} {
		detections := []eval.Detection{
			{CategoryID: 0, Box: box.COCO{2, 2, 18, 18}, Score: 0.9, Scores: map[string]float64{"energy": 3}},
			{CategoryID: 7, Box: box.COCO{30, 30, 30, 30}, Score: 0.6, Scores: map[string]float64{"energy": 1}},
			{CategoryID: 7, Box: box.COCO{30, 2, 30, 18}, Score: 0.1, Scores: map[string]float64{"energy": 1}},
		}
		picture := tiny.Squares("x", 1, "red").Images[0]
		pixels, err := picture.Decode()
		if err != nil {
			t.Fatal(err)
		}
		figure, err := Draw(pixels.Image(), detections, map[data.ID]string{0: "red", 7: "blue"}, test.thresholds)
		if err != nil {
			t.Fatal(err)
		}
		csv, err := figure.CSV()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(string(csv)), "\n")[1:] {
			got = append(got, strings.Join(strings.Split(line, ",")[:2], ","))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
