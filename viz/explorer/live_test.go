package explorer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// echo draws samples that say what was asked for.
type echo struct{}

func (echo) Draw(_ context.Context, method string, n int, temperature float64, seed uint64) ([]Sample, error) {
	if method == "broken" {
		return nil, errors.New("broken: the class 3 has no inliers")
	}
	samples := make([]Sample, n)
	for i := range samples {
		samples[i] = Sample{Position: []float64{temperature, float64(seed), 0}, Nearest: []int{0, 1, 2}}
	}
	return samples, nil
}

func (echo) Path(_ context.Context, from, to int) (Path, error) {
	return Path{From: from, To: to, Steps: make([]Sample, 9), Straight: make([]float64, 9)}, nil // without positions
}

// serve serves the page; ended gets Serve's error.
func serve(t *testing.T, ctx context.Context, p *Page) (block, address string, ended chan error) {
	t.Helper()
	shown := make(chan [2]string, 1)
	ended = make(chan error, 1)
	go func() {
		ended <- p.Serve(ctx, func(block, address string) error { shown <- [2]string{block, address}; return nil })
	}()
	select {
	case s := <-shown:
		return s[0], s[1], ended
	case err := <-ended:
		t.Fatal(err)
	}
	return
}

func TestServe(t *testing.T) {
	p := made()
	p.Source = echo{}
	block, address, ended := serve(t, t.Context(), p)
	ask := func(method, what, body string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, what, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == http.StatusOK && answer.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s cannot be asked for from a notebook", what)
		}
		return answer.StatusCode, string(text)
	}
	if status, text := ask("GET", address, ""); status != http.StatusOK || text != whole(block) {
		t.Errorf("the page itself: %d, %d bytes", status, len(text))
	}
	status, text := ask("GET", address+"draw?method=flow&n=7&temperature=0.25&seed=9", "")
	var drawn points
	if err := json.Unmarshal([]byte(text), &drawn); err != nil || status != http.StatusOK || drawn.Number != 7 || drawn.Columns[0] != packFloats([]float64{0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25}) {
		t.Errorf("draw: %d, %v, %+v", status, err, drawn)
	}
	for what, want := range map[string]string{
		"draw?method=broken&n=7&temperature=1&seed=9":  "broken: the class 3",
		"draw?method=flow&n=5001&temperature=1&seed=9": `number: "5001": choose 1 to 5000`,
		"draw?method=flow&n=7&temperature=NaN&seed=9":  "temperature: \"NaN\"",
		"draw?method=flow&n=7&temperature=1&seed=-1":   "seed: \"-1\"",
		"path?from=0&to=99":                            `to: "99": there are 48 objects`,
		"path?from=0&to=9":                             "a sample has 0 nearest objects",
	} {
		if status, text := ask("GET", address+what, ""); status != http.StatusUnprocessableEntity || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %q", what, status, text, want)
		}
	}
	// Nobody else gets an answer: another secret, another name of the machine.
	host := strings.Split(address, "/")[2]
	_, port, _ := strings.Cut(host, ":")
	for _, other := range []string{"http://" + host + "/", "http://" + host + "/secret/hello", strings.Replace(address, host, "localhost:"+port, 1) + "hello"} {
		if status, _ := ask("GET", other, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", other, status)
		}
	}
	if status, _ := ask("GET", address+"end", ""); status != http.StatusNotFound {
		t.Errorf("end by GET: %d", status)
	}

	want := Selection{Objects: []int{3, 40}, Method: "flow", Temperature: 0.25, Seed: 9, Drawn: 7, Draws: []int{0, 6}}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if status, text := ask("POST", address+"selection", string(body)); status != http.StatusOK {
		t.Errorf("selection: %d %s", status, text)
	}
	for _, bad := range []string{`{"objects":[48]}`, `{"drawn":7,"draws":[7]}`, `{`} {
		if status, _ := ask("POST", address+"selection", bad); status != http.StatusUnprocessableEntity {
			t.Errorf("selection %s: %d", bad, status)
		}
	}
	if diff := cmp.Diff(want, p.Selection()); diff != "" {
		t.Errorf("selection (-want +got):\n%s", diff)
	}
	want.Draws = []int{1}
	if status, text := ask("POST", address+"end", fmt.Sprintf(`{"objects":[3,40],"method":"flow","temperature":0.25,"seed":9,"drawn":7,"draws":[1]}`)); status != http.StatusOK {
		t.Errorf("end: %d %s", status, text)
	}
	if err := <-ended; err != nil {
		t.Errorf("served: %v", err)
	}
	if diff := cmp.Diff(want, p.Selection()); diff != "" {
		t.Errorf("selection at the end (-want +got):\n%s", diff)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	p := made()
	p.Source = echo{}
	ctx, stop := context.WithCancel(t.Context())
	_, _, ended := serve(t, ctx, p)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	p.Source = nil
	if err := p.Serve(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no source") {
		t.Errorf("without a source: %v", err)
	}
	p.Source = echo{}
	failure := errors.New("no notebook")
	if err := p.Serve(t.Context(), func(_, _ string) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("a page that cannot be shown: %v", err)
	}
}
