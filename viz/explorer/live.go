package explorer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Source computes what a page that is served live asks for. Its methods may be called from several
// goroutines.
type Source interface {
	// Draw draws n samples by a method of the page.
	Draw(ctx context.Context, method string, n int, temperature float64, seed uint64) ([]Sample, error)
	// Path leads from one object to another, both counted through all groups, with as many steps as
	// the page's other paths.
	Path(ctx context.Context, from, to int) (Path, error)
}

// MaxDraws is the largest number of samples that the page draws live.
const MaxDraws = 5000

// Serve shows the page, with the process behind it, until the reader ends it or the context does:
// fresh draws at any temperature, number and seed, and paths between any two objects, computed by
// the page's Source. show gets the page as a block of HTML, to be shown in a notebook's cell, and
// the address of the same page as a whole. What the reader selects comes back through
// [Page.Selection].
//
// It listens on this machine's loopback interface alone, and answers none but those who know the
// page's secret address. It fails if the page has no Source or no port is free, if show fails, and
// with the context's error if that ends first.
func (p *Page) Serve(ctx context.Context, show func(block, address string) error) error {
	if p.Source == nil {
		return errors.New("explorer: the page has no source: it cannot be served live; use Save")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("explorer: live page: %w", err)
	}
	address := fmt.Sprintf("http://%s/%s/", listener.Addr(), rand.Text())
	block, err := p.block(address)
	if err != nil {
		listener.Close()
		return err
	}
	s := &server{page: p, address: address, whole: whole(block), ended: make(chan struct{})}
	web := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	defer web.Close()
	if err := show(block, address); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-served:
		return fmt.Errorf("explorer: live page: %w", err)
	case <-s.ended:
	}
	// The answer to the request that ended it is still on its way.
	stopping, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	return web.Shutdown(stopping)
}

// server answers the page.
type server struct {
	page    *Page
	address string
	whole   string
	end     sync.Once
	ended   chan struct{}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secret, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if "http://"+r.Host+"/"+secret+"/" != s.address { // the host too: another name for this machine is another site's
		http.NotFound(w, r)
		return
	}
	// The page may stand in a notebook, which has another origin, or in a file.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "no-store")
	var answer any
	var err error
	switch r.Method + " " + what {
	case "GET ":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, s.whole) // an error means that the reader has gone
		return
	case "GET draw":
		answer, err = s.draw(r)
	case "GET path":
		answer, err = s.path(r)
	case "POST selection":
		answer, err = struct{}{}, s.page.take(r.Body)
	case "POST end":
		answer, err = struct{}{}, s.page.take(r.Body)
		if err == nil {
			defer s.end.Do(func() { close(s.ended) })
		}
	case "GET hello":
		answer = struct{}{}
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *server) draw(r *http.Request) (any, error) {
	q := r.URL.Query()
	n, err := strconv.Atoi(q.Get("n"))
	if err != nil || n < 1 || n > MaxDraws {
		return nil, fmt.Errorf("number: %q: choose 1 to %d", q.Get("n"), MaxDraws)
	}
	temperature, err := strconv.ParseFloat(q.Get("temperature"), 64)
	if err != nil || !(temperature > 0 && temperature <= 100) {
		return nil, fmt.Errorf("temperature: %q: choose a number above 0, 100 at most", q.Get("temperature"))
	}
	seed, err := strconv.ParseUint(q.Get("seed"), 10, 53) // a browser's whole numbers
	if err != nil {
		return nil, fmt.Errorf("seed: %q: choose a whole number from 0", q.Get("seed"))
	}
	method := q.Get("method")
	samples, err := s.page.Source.Draw(r.Context(), method, n, temperature, seed)
	if err != nil {
		return nil, err
	}
	for _, sample := range samples {
		if err := s.page.checkSample("method "+method, sample); err != nil {
			return nil, err
		}
	}
	return s.page.points(samples), nil
}

func (s *server) path(r *http.Request) (any, error) {
	var ends [2]int
	for i, name := range []string{"from", "to"} {
		end, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || end < 0 || end >= s.page.count() {
			return nil, fmt.Errorf("%s: %q: there are %d objects", name, r.URL.Query().Get(name), s.page.count())
		}
		ends[i] = end
	}
	path, err := s.page.Source.Path(r.Context(), ends[0], ends[1])
	if err != nil {
		return nil, err
	}
	if err := s.page.checkPath(path); err != nil {
		return nil, err
	}
	return s.page.packPaths([]Path{path}), nil
}

// maxSelection bounds the JSON of a selection in bytes.
const maxSelection = 4 << 20

// take keeps the selection that the reader's page sends.
func (p *Page) take(body io.Reader) error {
	var selection Selection
	if err := json.NewDecoder(io.LimitReader(body, maxSelection)).Decode(&selection); err != nil {
		return fmt.Errorf("selection: %w", err)
	}
	for _, i := range selection.Objects {
		if i < 0 || i >= p.count() {
			return fmt.Errorf("selection: there is no object %d among %d", i, p.count())
		}
	}
	for _, i := range selection.Draws {
		if i < 0 || i >= selection.Drawn {
			return fmt.Errorf("selection: there is no draw %d among %d", i, selection.Drawn)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.selection = selection
	return nil
}
