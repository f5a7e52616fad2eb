package glyph

import (
	"bytes"
	"reflect"
	"testing"
)

func TestWriteThenRead(t *testing.T) {
	var a, b Set
	a[0] = []Glyph{Crop([]uint8{0, 0, 0, 0, 7, 9, 0, 0, 1}, 3, 3), {Height: 1, Width: 3, Ink: []uint8{1, 2, 3}}}
	b[9] = []Glyph{{Height: 1, Width: 1, Ink: []uint8{255}}}
	if want := (Glyph{2, 2, []uint8{7, 9, 0, 1}}); !reflect.DeepEqual(a[0][0], want) {
		t.Errorf("cropped to %v, want %v", a[0][0], want)
	}
	var packed bytes.Buffer
	if err := Write(&packed, &a, &b); err != nil {
		t.Fatal(err)
	}
	var gotA, gotB Set
	if err := Read(bytes.NewReader(packed.Bytes()), &gotA, &gotB); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotA[0], a[0]) || !reflect.DeepEqual(gotB[9], b[9]) || len(gotA[1]) != 0 {
		t.Errorf("read %v and %v", gotA, gotB)
	}
	if err := Read(bytes.NewReader(packed.Bytes()), &gotA); err == nil {
		t.Error("no error though a set was left over")
	}
	if err := Read(bytes.NewReader(packed.Bytes()[:packed.Len()-3]), &gotA, &gotB); err == nil {
		t.Error("no error for data that end early")
	}
}
