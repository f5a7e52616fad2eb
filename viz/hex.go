package viz

import "fmt"

// Hex returns the colour as style sheets write it, "#0072B2"; Auto is that of the first in turn.
func (c Color) Hex() string {
	rgb := c.resolve(0)
	return fmt.Sprintf("#%02X%02X%02X", rgb.R, rgb.G, rgb.B)
}
