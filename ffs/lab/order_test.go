package lab

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotebooksRunAfterWhatTheyNeed(t *testing.T) {
	notebooks := []string{"a/01_x.ipynb", "a/02_y.ipynb", "a/03_z.ipynb", "a/04_w.ipynb"}
	contents := [][]byte{[]byte(`{}`), []byte(`{"metadata": {"ffslab": {"after": []}}}`), []byte(`{}`), []byte(`{"metadata": {"ffslab": {"after": ["02_y", "04_w", "00"], "after_training": ["01_x"]}}}`)}
	for training, want := range map[bool][][]int{false: {nil, nil, {1}, {1}}, true: {nil, nil, {1}, {0, 1}}} {
		got, err := before(notebooks, contents, training)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
	contents[2] = []byte(`{"metadata": {"ffslab": {"after": "02_y"}}}`)
	if _, err := before(notebooks, contents, false); err == nil || !strings.Contains(err.Error(), "a/03_z.ipynb") {
		t.Errorf("a name in place of a list: %v", err)
	}
}

func TestWorkIsDoneInOrder(t *testing.T) {
	var mu sync.Mutex
	var ended []int
	running, most := 0, 0
	both := make(chan struct{})
	err := inOrder(t.Context(), [][]int{nil, nil, {1}, {0, 2}, nil}, 2, func(_ context.Context, i int) error {
		mu.Lock()
		running++
		most = max(most, running)
		if running == 2 && most == 2 && len(ended) == 0 {
			close(both)
		}
		mu.Unlock()
		<-both // two begin before any ends
		mu.Lock()
		defer mu.Unlock()
		running--
		ended = append(ended, i)
		return nil
	})
	if err != nil || len(ended) != 5 || most != 2 {
		t.Errorf("%v: %v ended, %d at a time", err, ended, most)
	}
	at := func(i int) int { return slices.Index(ended, i) }
	if at(2) < at(1) || at(3) < at(2) || at(3) < at(0) {
		t.Errorf("ended in the order %v", ended)
	}
}

func TestAFailureEndsTheRest(t *testing.T) {
	failure := errors.New("a cell failed")
	begun := make(chan struct{})
	err := inOrder(t.Context(), [][]int{nil, nil, {1}}, 2, func(ctx context.Context, i int) error {
		switch i {
		case 0:
			<-begun
			return failure
		case 1:
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		}
		t.Error("what follows was begun")
		return nil
	})
	if !errors.Is(err, failure) {
		t.Error(err)
	}
}
