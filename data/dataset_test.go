package data_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
)

// An id of 0 is one like the others, and a class that the file does not list takes one that nothing
// there has.
func TestWithClassesKeepsIDs(t *testing.T) {
	d := &data.Dataset{
		Categories: []data.Category{{ID: 0, Name: "cat"}, {ID: 2, Name: "unused"}, {ID: data.TextID("x"), Name: "dog"}, {ID: 1, Name: "bus"}},
		Images:     []data.Image{{Instances: []data.Instance{{Category: 2}, {Category: 0}}}},
	}
	got, err := d.WithClasses([]string{"dog", "yak", "cat", "emu"})
	if err != nil {
		t.Fatal(err)
	}
	want := []data.Category{{ID: data.TextID("x"), Name: "dog"}, {ID: 3, Name: "yak", Absent: true}, {ID: 0, Name: "cat"}, {ID: 4, Name: "emu", Absent: true}}
	if diff := cmp.Diff(want, got.Categories); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
	if of := got.Images[0].Instances; of[0].Category != 0 || of[1].Category != 2 {
		t.Errorf("objects of classes %d and %d, want 0 and 2", of[0].Category, of[1].Category)
	}
}
