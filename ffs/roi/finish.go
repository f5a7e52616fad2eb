package roi

// Finish maps the box of a detection from the image that the network saw to the original image of
// the given size in pixels: it scales each axis and clips to the original, in float32 as the
// reference does. It returns false, which drops the detection, if the resulting box is empty or not
// a number.
func Finish(box [4]float32, scaleX, scaleY float64, width, height int) (finished [4]float32, ok bool) {
	for i, limit := range []int{width, height, width, height} {
		scale := float32(scaleX)
		if i%2 == 1 {
			scale = float32(scaleY)
		}
		finished[i] = min(max(box[i]*scale, 0), float32(limit))
	}
	return finished, finished[2] > finished[0] && finished[3] > finished[1]
}
