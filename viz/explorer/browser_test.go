package explorer

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ffslab/viz/browser"
)

// set moves a slider, or chooses from a list, as a reader does.
const set = `{const s = document.querySelector(".viz-explorer [data-set=%s]"); s.value = %q; s.dispatchEvent(new Event("input", {bubbles: true}))}`

// picture is what the plot of a view shows.
const picture = `document.querySelector("[data-show=%s]").toDataURL()`

// TestPageInABrowser moves every control and compares what the page says with the same computed here.
func TestPageInABrowser(t *testing.T) {
	b := browser.Open(t, 1150, 1000)
	page, path := made(), filepath.Join(t.TempDir(), "page.html")
	if err := page.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b.Context, chromedp.Navigate("file://"+path), chromedp.WaitVisible(chromedp.CSS("section.surface canvas"))); err != nil {
		t.Fatal(err)
	}
	do := func(js string) { b.Text(t, "(() => {"+js+"; return ''})()") }
	pictures := map[string]string{} // the last of each view
	slowest := 0.0
	changed := func(what, view string) {
		t.Helper()
		if now := b.Text(t, fmt.Sprintf(picture, view)); pictures[view] == now {
			t.Errorf("%s: the picture did not change", what)
		} else {
			pictures[view] = now
		}
		took, err := strconv.ParseFloat(b.Text(t, `document.querySelector("figure").dataset.redraw`), 64)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		slowest = max(slowest, took)
	}
	state := struct{ method, temperature, seed, drawn, selected int }{0, 1, 0, 40, 4}
	check := func(what string) {
		t.Helper()
		changed(what, "scatter")
		samples := slices.Clone(page.Draws.Methods[state.method].Samples[state.temperature][state.seed][:state.drawn])
		slices.SortStableFunc(samples, func(a, b Sample) int { return cmp.Compare(b.NLL, a.NLL) })
		sum := 0.0
		for _, s := range samples[:state.selected] {
			sum += s.Energy
		}
		want := sum / float64(state.selected)
		last := `[...document.querySelectorAll("[data-show=groups] tr")].at(-1)`
		got, err := strconv.ParseFloat(strings.ReplaceAll(b.Text(t, last+`.cells[3].textContent`), "−", "-"), 64)
		if err != nil || math.Abs(got-want) > 0.006 {
			t.Errorf("%s: mean energy %v, %v; want %v", what, got, err, want)
		}
		if text := b.Text(t, last+`.cells[1].textContent`); text != strconv.Itoa(state.selected) {
			t.Errorf("%s: %s selected, want %d", what, text, state.selected)
		}
		var near []string
		for _, i := range samples[0].Nearest {
			near = append(near, strconv.Itoa(i))
		}
		if text := b.Text(t, `[...document.querySelectorAll("[data-show=crops] .crop")].map((c) => c.dataset.object).join()`); text != strings.Join(near, ",") {
			t.Errorf("%s: nearest objects %s, want %v", what, text, near)
		}
	}
	check("start")
	state.temperature = 2
	do(fmt.Sprintf(set, "temperature", "2"))
	check("temperature")
	state.drawn = 25
	do(fmt.Sprintf(set, "drawn", "25"))
	check("drawn")
	state.selected = 9
	do(fmt.Sprintf(set, "selected", "9"))
	check("selected")
	state.selected = 5 // 20 % of 25
	do(fmt.Sprintf(set, "share", "40"))
	check("share")
	state.drawn, state.selected = 50, 10 // the share stays
	do(fmt.Sprintf(set, "drawn", "50"))
	check("drawn, with a share")
	state.seed = 1
	do(fmt.Sprintf(set, "seed", "1"))
	check("seed")
	state.seed = 0
	do(`document.querySelector(".draws button").click()`)
	check("next seed")
	state.method, state.selected = 1, 50 // it keeps all
	do(fmt.Sprintf(set, "method", "langevin"))
	check("method that keeps all")
	state.method, state.selected = 2, 10
	do(fmt.Sprintf(set, "method", "gaussian"))
	check("method")
	do(fmt.Sprintf(set, "x", "2"))
	check("component")

	// The pointer on a point tells what it is; a click on an outlier chooses it.
	tip := `(() => {
		const c = document.querySelector("[data-show=scatter]"), box = c.getBoundingClientRect();
		for (let y = 0; y < box.height; y += 3) for (let x = 0; x < box.width; x += 3) {
			const at = {clientX: box.left + x, clientY: box.top + y};
			c.dispatchEvent(new MouseEvent("mousemove", at));
			const text = document.querySelector(".tip")?.innerText ?? "";
			if (text.startsWith(%q)) {
				if (%v) c.dispatchEvent(new MouseEvent("click", at));
				return text;
			}
		}
		return "";
	})()`
	for _, kind := range []string{"class red", "class blue", "unknown, lamp (set:near)", "drawn, not selected", "synthetic outlier"} {
		if text := b.Text(t, fmt.Sprintf(tip, kind, false)); !strings.Contains(text, "NLL ") || !strings.Contains(text, "energy ") {
			t.Errorf("pointing at %s shows %q", kind, text)
		}
	}
	b.Text(t, fmt.Sprintf(tip, "synthetic outlier", true))
	b.Screenshot(t, "draws")

	changed("start", "profile")
	do(fmt.Sprintf(set, "position", "8"))
	changed("position", "profile")
	steps := page.Paths[0].Steps
	if text, want := b.Text(t, `document.querySelector(".path .say").textContent`), fmt.Sprintf("energy %.2f", steps[8].Energy); !strings.Contains(strings.ReplaceAll(text, "−", "-"), want) {
		t.Errorf("at the end: %q, want %q in it", text, want)
	}
	do(fmt.Sprintf(set, "from", "2")) // now the last path, backwards
	changed("other way", "profile")
	if text, want := b.Text(t, `document.querySelector(".path .say").textContent`), fmt.Sprintf("energy %.2f", page.Paths[2].Steps[0].Energy); !strings.Contains(strings.ReplaceAll(text, "−", "-"), want) {
		t.Errorf("at the end of the way back: %q, want %q in it", text, want)
	}
	do(fmt.Sprintf(set, "to", "2"))
	if text := b.Text(t, `document.querySelector(".path .say").textContent`); !strings.Contains(text, "two different") {
		t.Errorf("from an object to itself: %q", text)
	}
	changed("start", "surface")
	do(fmt.Sprintf(set, "corners", "1"))
	changed("corners", "surface")
	b.Screenshot(t, "whole")

	b.NoFaults(t)
	for _, address := range b.Asked() {
		scheme, _, _ := strings.Cut(address, ":")
		if !slices.Contains([]string{"file", "data", "blob"}, scheme) {
			t.Errorf("the page asked for %s", address)
		}
	}
	t.Logf("the slowest redrawing took %v ms", slowest)
}
