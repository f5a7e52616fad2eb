package checkpoint

import (
	"fmt"
	"strings"
)

// backboneScope is where a detector has the network below its pyramid.
const backboneScope = "backbone.bottom_up."

// WholeBackbone returns an error, which says what does not fit, unless the file's backbone is the
// model's: every weight is there, in the model's shape, and no stage has others. Statistics and
// biases may be missing: MSRA's R-50.pkl has no statistics. The pyramid and the heads may differ,
// for example in the number of classes.
func (r Report) WholeBackbone() error {
	var wrong []string
	fits, stages := 0, map[string]bool{} // the beginnings of the file's names
	for _, pair := range r.Loaded {
		if layer, ok := strings.CutPrefix(pair.Model, backboneScope); ok {
			fits++
			stage, rest, _ := strings.Cut(layer, ".")
			if before, ok := strings.CutSuffix(pair.File, stage+"."+rest); ok {
				stages[before+stage+"."] = true
			}
		}
	}
	for _, m := range r.WrongShape {
		if layer, ok := strings.CutPrefix(m.Model, backboneScope); ok {
			wrong = append(wrong, fmt.Sprintf("%s is of shape %v, want %v", layer, m.FileShape, m.ModelShape))
		}
	}
	for _, name := range r.Missing {
		if layer, ok := strings.CutPrefix(name, backboneScope); ok && strings.HasSuffix(layer, ".weight") {
			wrong = append(wrong, "missing "+layer)
		}
	}
	for _, name := range r.LeftOut {
		for stage := range stages {
			if strings.HasPrefix(name, stage) && strings.HasSuffix(name, ".weight") {
				wrong = append(wrong, "unknown "+printable(name))
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	n := len(wrong)
	const shown = 3
	if n > shown {
		wrong = append(wrong[:shown], "...")
	}
	return fmt.Errorf("of another architecture than the configuration's backbone: %d tensors fit, %d do not (%s)", fits, n, strings.Join(wrong, "; "))
}
