package explore

import (
	"cmp"
	"image"
	"slices"

	xdraw "golang.org/x/image/draw"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/viz"
)

// nearestRows returns the places of the k rows [n][dim] nearest to x, the nearest first.
func nearestRows(rows [][]float32, x []float32, k int) []int {
	distances := make([]float64, len(rows))
	order := make([]int, len(rows))
	for i, row := range rows {
		order[i] = i
		for j, v := range row {
			d := float64(v - x[j])
			distances[i] += d * d
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(distances[a], distances[b]) })
	return order[:min(k, len(order))]
}

// addReal adds the first objects of a set, with their thumbnails.
func (b *explorerBuilder) addReal(images []data.Image, f *Features, color viz.Color) error {
	n := min(explorerReal, len(f.Rows))
	group := viz.RealCloud{Name: f.Set, Color: color}
	var err error
	if group.Cloud, err = b.cloud(f.Rows[:n], f.NLL[:n], f.Energy[:n]); err != nil {
		return err
	}
	last := -1
	var picture image.Image
	for i := range n {
		if f.Image[i] != last {
			pixels, err := images[f.Image[i]].Decode()
			if err != nil {
				return err
			}
			last, picture = f.Image[i], pixels.Image()
		}
		crop, err := viz.Crop(picture, f.Box[i], thumbnailSpace)
		if err != nil {
			return err
		}
		label := f.Classes[f.Class[i]]
		group.Labels = append(group.Labels, label)
		if b.page.Real != nil {
			label += " (" + f.Set + ")"
		}
		group.Near = append(group.Near, []int{len(b.page.Crops)})
		b.page.Crops = append(b.page.Crops, viz.Thumbnail{Label: label, Picture: square(crop, thumbnailSide)})
		b.real = append(b.real, f.Rows[i])
	}
	b.page.Real = append(b.page.Real, group)
	return nil
}

// square scales a picture into a square of that side, in the middle of grey.
func square(img image.Image, side int) image.Image {
	size := img.Bounds().Size()
	scale := float64(side) / float64(max(size.X, size.Y))
	w, h := max(1, int(float64(size.X)*scale)), max(1, int(float64(size.Y)*scale))
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range out.Pix {
		out.Pix[i] = 0xE6
	}
	corner := image.Pt((side-w)/2, (side-h)/2)
	xdraw.CatmullRom.Scale(out, image.Rectangle{corner, corner.Add(image.Pt(w, h))}, img, img.Bounds(), xdraw.Src, nil)
	return out
}

func energies(scores []infer.Scores) []float64 {
	values := make([]float64, len(scores))
	for i, s := range scores {
		values[i] = s.Energy
	}
	return values
}

// narrow converts rows to float32, as models take them.
func narrow(rows [][]float64) [][]float32 {
	out := make([][]float32, len(rows))
	for i, row := range rows {
		out[i] = make([]float32, len(row))
		for j, v := range row {
			out[i][j] = float32(v)
		}
	}
	return out
}
