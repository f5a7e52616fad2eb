package box

import "testing"

func TestFormsOfABox(t *testing.T) {
	corners, coco := Corners{2, 3, 7.5, 5}, COCO{2, 3, 5.5, 2}
	if got := corners.COCO(); got != coco {
		t.Errorf("%v.COCO() = %v, want %v", corners, got, coco)
	}
	if got := coco.Corners(); got != corners {
		t.Errorf("%v.Corners() = %v, want %v", coco, got, corners)
	}
	if a, b := corners.Area(), coco.Area(); a != 11 || b != 11 {
		t.Errorf("areas %v and %v, want 11", a, b)
	}
}
