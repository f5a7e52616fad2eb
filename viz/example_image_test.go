package viz_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"

	"ffslab/viz"
)

// Two images with detections and annotations side by side.
func ExampleDetectionSheet() {
	scene := image.NewRGBA(image.Rect(0, 0, 192, 192))
	fish := [4]float64{20, 30, 60, 90}
	fig, err := viz.DetectionSheet([]viz.Shot{
		{Image: scene, Caption: viz.Unknown.String(), Boxes: []viz.Box{{XYXY: fish, Label: "cup", Score: 0.61, Style: viz.Unknown}}},
		{Image: scene, Caption: viz.Truth.String(), Boxes: []viz.Box{{XYXY: fish, Label: "fish", Style: viz.Truth}}},
	}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 3))
	// Output:
	// image,caption,label,style,score,x1,y1,x2,y2
	// 0,unknown,cup,unknown,0.61,20,30,60,90
	// 1,truth,fish,truth,0,20,30,60,90
}

// The object with a fifth of its longer side around it, as far as the image reaches.
func ExampleCrop() {
	scene := image.NewRGBA(image.Rect(0, 0, 192, 192))
	crop, err := viz.Crop(scene, [4]float64{0, 50, 40, 100}, 0.2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(crop.Bounds().Size())
	// Output: (50,70)
}

// One figure in the forms that a notebook, a paper and a web page want.
func ExampleFigure() {
	loss := viz.Curves{Series: []viz.Series{{Name: "loss", X: []float64{0, 1}, Y: []float64{2, 1}}}}
	fig, err := viz.Caption("The loss of two steps.").Under(loss.Figure())
	if err != nil {
		fmt.Println(err)
		return
	}
	block, err := fig.HTML()
	fmt.Println(strings.Contains(block, "<figcaption>The loss of two steps.</figcaption>"), err)
	drawing, err := fig.SVG()
	fmt.Println(bytes.HasPrefix(drawing, []byte("<svg")), err)
	pixels, err := fig.PNG()
	if err != nil {
		fmt.Println(err)
		return
	}
	decoded, err := png.Decode(bytes.NewReader(pixels))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decoded.Bounds().Dx(), "pixels across a column of", viz.ColumnWidth, "cm")
	_, size, err := fig.JPEG(400, 90)
	fmt.Println(size.X, err)
	// Output:
	// true <nil>
	// true <nil>
	// 736 pixels across a column of 8.5 cm
	// 400 <nil>
}

// The colour of unknown objects in another program's figure or a web page.
func ExampleColor_Hex() {
	fmt.Println(viz.UnknownColor.Hex())
	// Output: #D55E00
}
