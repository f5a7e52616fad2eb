package protocol

import (
	"testing"

	"ffslab/data"
)

func TestLabel(t *testing.T) {
	for spec, want := range map[string]string{
		"digits:ood-near":                     "digits:ood-near",
		"coco:/data/fish/ood.json,/data/fish": "fish/ood",
		"coco:ood.json,images":                "ood",
		"coco:fish/annotations/val.json,fish": "fish/val",
		"coco_ood_val@/data/COCO":             "coco_ood_val",
	} {
		if got := Label(&data.Dataset{Name: spec}); got != want {
			t.Errorf("Label(%q) = %q, want %q", spec, got, want)
		}
	}
}
