package explorer

import (
	"fmt"
	"math"
)

// check reports what the page cannot show.
func (p *Page) check() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("explorer: "+format, args...) }
	if len(p.Axes) < 2 {
		return fail("%d axes: a plane needs two components", len(p.Axes))
	}
	objects := 0
	for _, g := range p.Groups {
		for i, o := range g.Objects {
			if len(o.Position) != len(p.Axes) {
				return fail("group %q: object %d has %d components for %d axes", g.Name, i, len(o.Position), len(p.Axes))
			}
		}
		objects += len(g.Objects)
	}
	if objects == 0 || objects > math.MaxUint16 {
		return fail("%d objects: give between 1 and %d", objects, math.MaxUint16)
	}
	near := -1
	sample := func(where string, s Sample) error {
		if len(s.Position) != len(p.Axes) {
			return fail("%s: a sample has %d components for %d axes", where, len(s.Position), len(p.Axes))
		}
		if near < 0 {
			near = len(s.Nearest)
		}
		if len(s.Nearest) != near {
			return fail("%s: a sample has %d nearest objects, others have %d", where, len(s.Nearest), near)
		}
		for _, i := range s.Nearest {
			if i < 0 || i >= objects {
				return fail("%s: there is no object %d among %d", where, i, objects)
			}
		}
		return nil
	}
	if err := p.Draws.check(sample); err != nil {
		return err
	}
	for _, path := range p.Paths {
		where := fmt.Sprintf("path from %d to %d", path.From, path.To)
		if path.From < 0 || path.To < 0 || path.From >= objects || path.To >= objects {
			return fail("%s: there are %d objects", where, objects)
		}
		if len(path.Steps) < 2 || len(path.Steps) != len(p.Paths[0].Steps) || len(path.Straight) != len(path.Steps) {
			return fail("%s: %d steps and %d straight ones: all paths have equally many, at least 2", where, len(path.Steps), len(path.Straight))
		}
		for _, s := range path.Steps {
			if err := sample(where, s); err != nil {
				return err
			}
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
		}
	}
	return nil
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
