package data

// ShortestEdge returns the size of a picture of height h and width w after its shorter edge is
// scaled to short pixels, or to less if the longer edge would exceed longest (detectron2's
// ResizeShortestEdge: halves round up).
func ShortestEdge(h, w, short, longest int) (height, width int) {
	scale := float64(short) / float64(min(h, w))
	// The shorter edge is short by definition; computing it could round to another number.
	newH, newW := float64(short), scale*float64(w)
	if h >= w {
		newH, newW = scale*float64(h), float64(short)
	}
	if top := max(newH, newW); top > float64(longest) {
		scale = float64(longest) / top
		newH, newW = newH*scale, newW*scale
	}
	return max(int(newH+0.5), 1), max(int(newW+0.5), 1)
}

// FlipHorizontal returns the mirrored picture.
func FlipHorizontal(p *Pixels) *Pixels {
	out := NewPixels(p.Height, p.Width)
	stride := 3 * p.Width
	for y := range p.Height {
		from, to := p.Data[y*stride:][:stride], out.Data[y*stride:][:stride]
		for i, j := 0, stride-3; i < stride; i, j = i+3, j-3 {
			to[j], to[j+1], to[j+2] = from[i], from[i+1], from[i+2]
		}
	}
	return out
}

// Transform says how a picture is prepared for the network: resized by its shortest edge, then
// perhaps mirrored.
type Transform struct {
	ShortEdge, LongEdge int // pixels; the shorter edge becomes ShortEdge unless the longer would exceed LongEdge
	Flip                bool
}

// Size returns the size of a transformed picture of height h and width w.
func (t Transform) Size(h, w int) (height, width int) {
	return ShortestEdge(h, w, t.ShortEdge, t.LongEdge)
}

// Pixels returns the transformed picture.
func (t Transform) Pixels(p *Pixels) *Pixels {
	h, w := t.Size(p.Height, p.Width)
	p = Resize(p, h, w)
	if t.Flip {
		p = FlipHorizontal(p)
	}
	return p
}

// Instances returns the objects of a picture of height h and width w in the transformed picture:
// clipped to it, without those that become empty, with scaled Area. It does not change its
// argument.
func (t Transform) Instances(instances []Instance, h, w int) []Instance {
	const empty = 1e-5 // pixels, detectron2's threshold of a side
	newH, newW := t.Size(h, w)
	right, bottom := float64(newW), float64(newH)
	scaleX, scaleY := right/float64(w), bottom/float64(h)
	out := make([]Instance, 0, len(instances))
	for _, inst := range instances {
		x0, x1 := inst.Box[0]*scaleX, inst.Box[2]*scaleX
		y0, y1 := inst.Box[1]*scaleY, inst.Box[3]*scaleY
		if t.Flip {
			x0, x1 = right-x1, right-x0
		}
		x0, x1 = min(max(x0, 0), right), min(max(x1, 0), right)
		y0, y1 = min(max(y0, 0), bottom), min(max(y1, 0), bottom)
		if x1-x0 <= empty || y1-y0 <= empty {
			continue
		}
		inst.Box = [4]float64{x0, y0, x1, y1}
		inst.Area *= scaleX * scaleY
		out = append(out, inst)
	}
	return out
}
