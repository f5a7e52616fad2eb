package viz

import "fmt"

// Hex returns the colour in the form of style sheets, "#0072B2". Auto is the first of the palette.
func (c Color) Hex() string {
	rgb := c.resolve(0)
	return fmt.Sprintf("#%02X%02X%02X", rgb.R, rgb.G, rgb.B)
}
