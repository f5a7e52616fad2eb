package data_test

import (
	"strings"
	"testing"

	"ffslab/data"
)

func TestLabel(t *testing.T) {
	for text, want := range map[string]string{
		"digits:ood-near":                        "digits:ood-near",
		"digits:val?n=1500":                      "digits:val?n=1500",
		"coco:/data/fish/ood.json,/data/fish":    "fish/ood",
		"coco:ood.json,images":                   "ood",
		"coco:fish/annotations/val.json,fish":    "fish/val",
		"coco:../val.json,fish":                  "val",
		`coco:C:\fish\val.json,fish`:             "fish/val",
		"coco_ood_val@/data/COCO":                "coco_ood_val",
		"voc:/x/VOCdevkit/VOC2007,test":          "VOCdevkit/VOC2007/test",
		"voc:VOC2012,val,images?difficult=keep":  "VOC2012/val?difficult=keep",
		"ytvis:ann/instances.json,img,train":     "ann/instances/train",
		"images:/photos/beach/":                  "photos/beach",
		"stop=coco:/data/signs/ood.json,/images": "stop",
		"v2.1=digits:val?n=20":                   "v2.1",
	} {
		name, spec := data.CutName(text)
		d := data.Dataset{Name: name, Spec: spec}
		if name == "" {
			d.Name = spec
		}
		if got := d.Label(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := (&data.Dataset{Name: "coco:a/b.json,c"}).Label(); got != "a/b" {
		t.Errorf("a set without a spec: %q", got)
	}
}

// A name that cannot be one is called so, not a form that does not exist.
func TestFaultyName(t *testing.T) {
	if _, err := data.Open("stop signs=images:x", data.Options{}); err == nil || !strings.Contains(err.Error(), `"stop signs" is not a valid name of a set`) {
		t.Errorf("the error is %v", err)
	}
}
