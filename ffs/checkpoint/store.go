package checkpoint

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// modelScopes are the parts of a detector. What a store holds elsewhere (the optimizer's state,
// random state, metrics) is not the model's.
var modelScopes = []string{"backbone", "proposal_generator", "roi_heads"}

func inModel(name string) bool {
	scope, _, _ := strings.Cut(name, ".")
	return slices.Contains(modelScopes, scope)
}

// Report says what LoadInto did. Names are detectron2's.
type Report struct {
	Matching
	// Dropped are tensors of the file that the original writes and nothing needs: see unused.
	Dropped []string
	// Under and Others say where in the file tensors are: see File.
	Under  string
	Others []string
}

// String is the report in one line, the few names that matter spelled out.
func (r Report) String() string {
	loaded := fmt.Sprintf("loaded %d tensors", len(r.Loaded))
	if r.Under != "" && r.Under != "model" && r.Under != "blobs" { // where detectron2 and Caffe2 put them
		loaded += fmt.Sprintf(", found under %q", r.Under)
	}
	if r.Prefix != "" {
		loaded += fmt.Sprintf(", %q before all names left away", r.Prefix)
	}
	parts := []string{loaded}
	add := func(what string, names []string) {
		const shown = 5
		names = slices.Clone(names)
		for i := range names[:min(len(names), shown)] {
			names[i] = printable(names[i])
		}
		if len(names) > shown {
			parts = append(parts, fmt.Sprintf("%s %d (%s, ...)", what, len(names), strings.Join(names[:shown], ", ")))
		} else if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%s %d (%s)", what, len(names), strings.Join(names, ", ")))
		}
	}
	add("missing", r.Missing)
	var shapes []string
	for _, m := range r.WrongShape {
		shapes = append(shapes, fmt.Sprintf("%s: file %v, model %v", m.Model, m.FileShape, m.ModelShape))
	}
	add("wrong shape", shapes)
	add("left out", r.LeftOut)
	add("dropped as unused", r.Dropped)
	add("not taken: further tensors under", r.Others)
	return strings.Join(parts, "; ")
}

// unusedBias is a parameter of the original that its optimizer knows and its energy does not use.
const unusedBias = "roi_heads.weight_energy.bias"

// unused tells what checkpoints of the original hold without need: weight_energy.bias, which takes
// no part in the energy; constants that follow from the configuration (pixel statistics, anchors);
// batch norm's counters.
func unused(name string) bool {
	return name == "pixel_mean" || name == "pixel_std" || name == unusedBias ||
		strings.HasSuffix(name, ".num_batches_tracked") || strings.Contains(name, ".cell_anchors.")
}

// reductionName moves FEVER-OOD's layer between box head and predictor to where the detector has
// it, directly under roi_heads, from inside one of the two.
func reductionName(name string) string {
	heads, rest, found := strings.Cut(name, "roi_heads.")
	if _, layer, is := strings.Cut(rest, "box_head_extension."); found && is {
		return heads + "roi_heads.box_head_extension." + layer
	}
	return name
}

// LoadInto sets the model's parameters in the store to the file's tensors, found by Match, a
// ResNet's Caffe2 blobs under detectron2's names, and converted by ToStore and to the parameters'
// types. Parameters that the file lacks keep their values. A store without a model (no graph was
// built with it yet) gets all of the file's parameters, float32 or int32. An error, also if nothing
// fits, leaves the store as it was.
func LoadInto(store *model.Store, f *File) (Report, error) {
	report, err := loadInto(store, f)
	if err != nil && f.Path != "" {
		err = fmt.Errorf("%s: %w", f.Path, err)
	}
	return report, err
}

func loadInto(store *model.Store, f *File) (Report, error) {
	byName := make(map[string]Tensor, len(f.Tensors))
	inFile := make([]Entry, len(f.Tensors))
	for i, t := range f.Tensors {
		name := reductionName(fromCaffe2(t.Name)) // such files need not say so: R-50.pkl may be the blobs alone
		byName[name], inFile[i] = t, Entry{Name: name, Shape: t.Shape}
	}
	parameters := modelVariables(store)
	wanted := make([]Entry, len(parameters))
	for i, v := range parameters {
		wanted[i] = Entry{Name: nameOf(v.Path()), Shape: torchShape(v.Shape().Dimensions)}
	}
	if len(parameters) == 0 {
		for _, prefix := range prefixes(inFile) {
			if wanted = ofModel(inFile, prefix); len(wanted) > 0 {
				break
			}
		}
	}
	matching, err := Match(wanted, inFile)
	if err != nil {
		return Report{}, err
	}
	report := Report{Matching: matching, Under: f.Under, Others: f.Others}
	report.LeftOut = slices.DeleteFunc(slices.Clone(matching.LeftOut), unused)
	report.Dropped = slices.DeleteFunc(matching.LeftOut, func(name string) bool { return !unused(name) })
	if len(report.Loaded) == 0 {
		return report, nothingFits(report, wanted, inFile)
	}
	return report, set(store, matching.Loaded, byName)
}

// nothingFits lists what was expected and what was found.
func nothingFits(r Report, wanted, file []Entry) error {
	if len(r.WrongShape) > 0 {
		m := r.WrongShape[0]
		return fmt.Errorf("none of its %d tensors fits the model (%q is of shape %v, the configuration's %q of %v): is it a checkpoint of this configuration?",
			len(file), m.File, m.FileShape, m.Model, m.ModelShape)
	}
	return fmt.Errorf("none of its %d tensors fits the model: found %s; expected %s, as detectron2 names them (of a backbone, "+
		"timm's, torchvision's or pycls's names of a RegNet or ResNet, too): is it a checkpoint of this configuration?",
		len(file), sample(file), sample(wanted))
}

// sample lists a few entries' names, from the first to the last.
func sample(entries []Entry) string {
	const shown = 4
	if len(entries) == 0 {
		return "none"
	}
	var names []string
	for i := range min(shown, len(entries)) {
		e := entries[i*(len(entries)-1)/max(min(shown, len(entries))-1, 1)]
		names = append(names, fmt.Sprintf("%s %v", printable(e.Name), e.Shape))
	}
	if len(entries) > shown {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// ofModel are the entries whose names, without the prefix, are a model's.
func ofModel(file []Entry, prefix string) []Entry {
	var found []Entry
	for _, e := range file {
		if name := strings.TrimPrefix(e.Name, prefix); inModel(name) && !unused(name) {
			found = append(found, Entry{Name: name, Shape: e.Shape})
		}
	}
	return found
}

// set converts all values before it touches the store.
func set(store *model.Store, pairs []Pair, file map[string]Tensor) error {
	paths, values := make([]string, len(pairs)), make([]*tensors.Tensor, len(pairs))
	for i, pair := range pairs {
		path, ours, err := ToStore(pair.Model, file[pair.File])
		if err != nil {
			return err
		}
		var dtype dtypes.DType
		if v := store.GetVariable(path); v != nil {
			dtype = v.DType()
		} else if dtype = dtypes.Int32; ours.DType.IsFloat() {
			dtype = dtypes.Float32
		}
		if paths[i] = path; err == nil {
			values[i], err = toGoMLX(ours, dtype)
		}
		if err != nil {
			return err
		}
	}
	for i, path := range paths {
		if err := Assign(store, path, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// Assign sets the variable at path to the value. It creates the variable if the store lacks it.
func Assign(store *model.Store, path string, value *tensors.Tensor) error {
	if v := store.GetVariable(path); v != nil {
		return v.SetValue(value)
	}
	_, err := store.CreateVariable(path, value)
	return err
}

// toGoMLX copies t to a tensor of the given type: float32, int32 or int64.
func toGoMLX(t Tensor, dtype dtypes.DType) (*tensors.Tensor, error) {
	if dtype == dtypes.Float32 {
		values, err := t.Float32()
		if err != nil {
			return nil, err
		}
		return tensors.FromFlatDataAndDimensions(values, t.Shape...), nil
	}
	values, err := t.Int64()
	if err != nil {
		return nil, err
	}
	switch dtype {
	case dtypes.Int64:
		return tensors.FromFlatDataAndDimensions(values, t.Shape...), nil
	case dtypes.Int32:
		narrow := make([]int32, len(values))
		for i, v := range values {
			if v < math.MinInt32 || v > math.MaxInt32 {
				return nil, fmt.Errorf("tensor %q: %d does not fit into int32", t.Name, v)
			}
			narrow[i] = int32(v)
		}
		return tensors.FromFlatDataAndDimensions(narrow, t.Shape...), nil
	}
	return nil, fmt.Errorf("parameter %q is of type %s, which checkpoints do not hold", t.Name, dtype)
}

// modelVariables are the store's variables that belong to the model, by path.
func modelVariables(store *model.Store) []*model.Variable {
	var found []*model.Variable
	for v := range store.IterVariables() {
		if inModel(nameOf(v.Path())) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b *model.Variable) int { return strings.Compare(a.Path(), b.Path()) })
	return found
}

// Export writes the model's parameters in the store to a safetensors file at path, under
// detectron2's names and in PyTorch's layout, so that LoadInto restores them, and Python with
// safetensors.torch.load_file and load_state_dict(strict=False): what "unused" names is not in it.
// The metadata (may be nil) goes with them. The file appears whole or not at all.
func Export(store *model.Store, path string, metadata map[string]string) error {
	variables := modelVariables(store)
	if len(variables) == 0 {
		return fmt.Errorf("%s: nothing to export: the store holds no model", path)
	}
	out := make([]Tensor, 0, len(variables))
	for _, v := range variables {
		ours, err := copyVariable(v)
		if err == nil {
			_, ours, err = FromStore(v.Path(), ours)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, ours)
	}
	all := map[string]string{"format": "pt"} // PyTorch's layout, by the format's convention
	maps.Copy(all, metadata)
	return WriteSafeTensors(path, out, all)
}

// copyVariable is the variable's value under its path.
func copyVariable(v *model.Variable) (Tensor, error) {
	value, err := v.Value()
	if err != nil {
		return Tensor{}, fmt.Errorf("variable %s: %w", v.Path(), err)
	}
	var data []byte
	if err := value.ConstBytes(func(b []byte) { data = slices.Clone(b) }); err != nil {
		return Tensor{}, fmt.Errorf("variable %s: %w", v.Path(), err)
	}
	return NewTensor(v.Path(), value.DType(), value.Shape().Dimensions, data)
}
