package detector

import (
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

// The parameters of a checkpoint are those of the configuration's model, each in its shape; what is
// not is named with both shapes.
func TestFits(t *testing.T) {
	backend := testkit.Backend(t)
	for _, method := range []string{"none", "flow", "flow-langevin", "gaussian"} {
		c, err := tiny.Config("model.outlier.method=" + method)
		if err != nil {
			t.Fatal(err)
		}
		d, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		const bias = "/roi_heads/box_head/fc1/bias"
		zeros := func(dims ...int) *tensors.Tensor { return tensors.FromShape(shapes.Make(dtypes.Float32, dims...)) }
		for what, test := range map[string]struct {
			change func(path string, value *tensors.Tensor) (string, *tensors.Tensor)
			more   string // one variable more
			want   string
		}{
			"the model's": {},
			"one is renamed": {change: func(path string, value *tensors.Tensor) (string, *tensors.Tensor) {
				return strings.Replace(path, bias, "/roi_heads/box_head/fc9/bias", 1), value
			}, want: "lacks " + bias},
			"another shape": {change: func(path string, value *tensors.Tensor) (string, *tensors.Tensor) {
				if path == bias {
					value = zeros(7)
				}
				return path, value
			}, want: bias + " is (Float32)[7] in the checkpoint and (Float32)[16] in the configuration's model"},
			"one more":                  {more: "/roi_heads/extra", want: "holds /roi_heads/extra"},
			"somebody's momentum":       {more: "/optimizer/momentum/roi_heads/box_head/fc9/bias", want: "belongs to no parameter"},
			"a momentum of wrong shape": {more: "/optimizer/momentum" + bias, want: "belongs to no parameter"},
		} {
			whole, store := model.NewStore(), model.NewStore()
			if err := d.Create(backend, whole); err != nil {
				t.Fatal(err)
			}
			for v := range whole.IterVariables() {
				path, value := v.Path(), v.MustValue()
				if test.change != nil {
					path, value = test.change(path, value)
				}
				if _, err := store.CreateVariable(path, value); err != nil {
					t.Fatal(err)
				}
			}
			if test.more != "" {
				if _, err := store.CreateVariable(test.more, zeros(3)); err != nil {
					t.Fatal(err)
				}
			}
			err := d.Fits(backend, store)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%s, %s: error %v, want %q", method, what, err, test.want)
			}
		}
	}
}
