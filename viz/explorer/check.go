package explorer

import (
	"fmt"
	"math"
	"slices"
)

// check reports what the page cannot show.
func (p *Page) check() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("explorer: "+format, args...) }
	if len(p.Axes) < 2 {
		return fail("%d axes: a plane needs two components", len(p.Axes))
	}
	for _, plane := range p.Planes {
		for _, name := range []string{plane.X, plane.Y} {
			if !slices.ContainsFunc(p.columns(), func(c columnData) bool { return c.Name == name }) {
				return fail("plane %q: there is no axis or column %q", plane.Name, name)
			}
		}
	}
	if err := p.checkObjects(); err != nil {
		return err
	}
	if err := p.Draws.check(p.checkSample); err != nil {
		return err
	}
	for _, path := range p.Paths {
		if err := p.checkPath(path); err != nil {
			return err
		}
	}
	for i, s := range p.Surfaces {
		if n := len(s.Z); n < 2 || n != len(p.Surfaces[0].Z) || len(s.Z[0]) != n || !(s.X[0] < s.X[1]) || !(s.Y[0] < s.Y[1]) {
			return fail("surface %d: a square grid of the others' size over two ascending ranges is needed", i)
		}
		for _, row := range s.Z {
			if len(row) != len(s.Z) {
				return fail("surface %d: a row of %d in a grid of %d", i, len(row), len(s.Z))
			}
			if err := finite(fmt.Sprintf("surface %d", i), row...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Page) checkObjects() error {
	objects := p.count()
	if objects == 0 || objects > math.MaxUint16 {
		return fmt.Errorf("explorer: %d objects: give between 1 and %d", objects, math.MaxUint16)
	}
	near := -1
	for _, g := range p.Groups {
		for i, o := range g.Objects {
			where := fmt.Sprintf("group %q: object %d", g.Name, i)
			if near < 0 {
				near = len(o.Nearest)
			}
			if len(o.Nearest) != near {
				return fmt.Errorf("explorer: %s has %d nearest objects, others have %d", where, len(o.Nearest), near)
			}
			if err := p.checkNumbers(where, o.Position, o.NLL, o.Energy, o.Values, o.Nearest); err != nil {
				return err
			}
			if len(p.Pictures) > 0 && o.Picture >= len(p.Pictures) {
				return fmt.Errorf("explorer: %s: there is no picture %d among %d", where, o.Picture, len(p.Pictures))
			}
		}
	}
	return nil
}

func (p *Page) checkNumbers(where string, position []float64, nll, energy float64, values []float64, nearest []int) error {
	if len(position) != len(p.Axes) {
		return fmt.Errorf("explorer: %s has %d components for %d axes", where, len(position), len(p.Axes))
	}
	if values != nil && len(values) != len(p.Columns) {
		return fmt.Errorf("explorer: %s has %d values for %d columns", where, len(values), len(p.Columns))
	}
	objects := p.count()
	for _, i := range nearest {
		if i < 0 || i >= objects {
			return fmt.Errorf("explorer: %s: there is no object %d among %d", where, i, objects)
		}
	}
	return finite(where, append([]float64{nll, energy}, position...)...)
}

func (p *Page) checkSample(where string, s Sample) error {
	if near := p.Draws.Methods[0].Samples[0][0][0].Nearest; len(s.Nearest) != len(near) {
		return fmt.Errorf("explorer: %s: a sample has %d nearest objects, others have %d", where, len(s.Nearest), len(near))
	}
	return p.checkNumbers(where+": a sample", s.Position, s.NLL, s.Energy, s.Values, s.Nearest)
}

func (p *Page) checkPath(path Path) error {
	where, objects := fmt.Sprintf("path from %d to %d", path.From, path.To), p.count()
	if path.From < 0 || path.To < 0 || path.From >= objects || path.To >= objects {
		return fmt.Errorf("explorer: %s: there are %d objects", where, objects)
	}
	if n := len(path.Steps); n < 2 || len(p.Paths) > 0 && n != len(p.Paths[0].Steps) || len(path.Straight) != n {
		return fmt.Errorf("explorer: %s: %d steps and %d straight ones: all paths have equally many, at least 2", where, n, len(path.Straight))
	}
	for _, s := range path.Steps {
		if err := p.checkSample(where, s); err != nil {
			return err
		}
	}
	return finite(where, path.Straight...)
}

// count is the number of objects of all groups.
func (p *Page) count() int {
	n := 0
	for _, g := range p.Groups {
		n += len(g.Objects)
	}
	return n
}

func (d *Draws) check(sample func(string, Sample) error) error {
	if len(d.Methods) == 0 || len(d.Temperatures) == 0 || len(d.Seeds) == 0 {
		return fmt.Errorf("explorer: draws: there must be a method, a temperature and a seed")
	}
	n := d.number()
	if d.Selected < 1 || d.Drawn < d.Selected || d.Drawn > n {
		return fmt.Errorf("explorer: draws: the start, %d of %d, is not within the %d samples", d.Selected, d.Drawn, n)
	}
	for _, m := range d.Methods {
		if len(m.Samples) != len(d.Temperatures) {
			return fmt.Errorf("explorer: method %q: draws at %d of %d temperatures", m.Name, len(m.Samples), len(d.Temperatures))
		}
		for t, seeds := range m.Samples {
			if len(seeds) != len(d.Seeds) {
				return fmt.Errorf("explorer: method %q, temperature %v: draws of %d of %d seeds", m.Name, d.Temperatures[t], len(seeds), len(d.Seeds))
			}
			for _, samples := range seeds {
				if len(samples) != n {
					return fmt.Errorf("explorer: method %q, temperature %v: %d samples, elsewhere %d", m.Name, d.Temperatures[t], len(samples), n)
				}
				for _, s := range samples {
					if err := sample("method "+m.Name, s); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// number is how many samples there are at every temperature, for every seed.
func (d *Draws) number() int {
	if len(d.Methods[0].Samples) == 0 || len(d.Methods[0].Samples[0]) == 0 {
		return 0
	}
	return len(d.Methods[0].Samples[0][0])
}
