package checkpoint

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"
)

// The pieces of pickles: a reference to a name, a call, an instance without a call and its
// attributes, a small number.
func name(module, name string) string    { return "c" + module + "\n" + name + "\n" }
func call(function, args string) string  { return function + "(" + args + "tR" }
func instance(class, args string) string { return class + "(" + args + "t\x81" }
func with(object, state string) string   { return object + state + "b" }
func items(pairs ...string) string       { return "}(" + strings.Join(pairs, "") + "u" }
func number(n byte) string               { return "K" + string([]byte{n}) }

// tensorOf1 is a tensor of the one float32 of storage "0".
func tensorOf1() string {
	storage := "(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + number(1) + "tQ"
	return call(name("torch._utils", "_rebuild_tensor_v2"), storage+number(0)+number(1)+"\x85"+number(1)+"\x85\x89"+call(name("collections", "OrderedDict"), ""))
}

func torchFile(t *testing.T, object string) []byte {
	return torchZip(t, program(object), zip.Store, []byte{0, 0, 0x80, 0x3f})
}

// What torch.load(weights_only=True) reads, and instances of classes that it does not know, stand
// beside the weights; nothing is called.
func TestWhatStandsBesideTheWeights(t *testing.T) {
	namespace := with(instance(name("argparse", "Namespace"), ""), items(text("lr"), number(3)))
	for _, test := range []struct {
		what, object string
		want         any
	}{
		{"a namespace", namespace, map[string]any{"lr": int64(3)}},
		{"a class that is a dictionary", instance(name("yacs.config", "CfgNode"), "") + "(" + text("a") + number(1) + "u", map[string]any{"a": int64(1)}},
		{"a class that is a list", instance(name("omegaconf.listconfig", "ListConfig"), "") + number(1) + "a", []any{int64(1)}},
		{"a scheduler", with(instance(name("torch.optim.lr_scheduler", "MultiStepLR"), ""), items(text("last"), number(9))), map[string]any{"last": int64(9)}},
		{"an instance of protocol 1", with(call(name("copy_reg", "_reconstructor"), name("mine", "Config")+name("__builtin__", "object")+"N"), items(text("a"), number(1))),
			map[string]any{"a": int64(1)}},
		{"a counter", call(name("collections", "Counter"), items(text("a"), number(2))), map[string]any{"a": int64(2)}},
		{"a default dictionary", call(name("collections", "defaultdict"), name("__builtin__", "list")) + text("a") + number(2) + "s", map[string]any{"a": int64(2)}},
		{"an ordered dictionary from pairs", call(name("collections", "OrderedDict"), "]]("+text("a")+number(2)+"ea"), map[string]any{"a": int64(2)}},
		{"a set", call(name("__builtin__", "set"), "]("+number(1)+number(2)+"e"), []any{int64(1), int64(2)}},
		{"a set of protocol 4", "\x8f(" + number(1) + "\x90", []any{int64(1)}},
		{"a frozen set of protocol 4", "(" + number(1) + "\x91", []any{int64(1)}},
		{"a size", call(name("torch", "Size"), number(1)+number(2)+"\x86"), []any{int64(1), int64(2)}},
		{"a device", call(name("torch", "device"), text("cuda")+number(1)), "cuda"},
		{"a dtype", name("torch", "bfloat16"), "torch.bfloat16"},
		{"a numpy number", call(name("numpy._core.multiarray", "scalar"), call(name("numpy", "dtype"), text("f4")+"\x89\x88")+"C\x04\x00\x00\xc0\x3f"), 1.5},
		{"a numpy whole number", call(name("numpy.core.multiarray", "scalar"), call(name("numpy", "dtype"), text("i2")+"\x89\x88")+"C\x02\xff\xff"), int64(-1)},
		{"a path", call(name("pathlib", "PosixPath"), text("/")+text("a")), nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			f, err := Decode(torchFile(t, items(text("model"), items(text("w"), tensorOf1()), text("beside"), test.object)))
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Tensors) != 1 || f.Tensors[0].Name != "w" {
				t.Errorf("tensors %v", f.Tensors)
			}
			if diff := cmp.Diff(map[string]any{"beside": test.want}, f.Values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever would have to be called is refused by name, in whichever dress, and so is the mention of
// what no file of weights mentions.
func TestCallsAreRefusedByName(t *testing.T) {
	for what, object := range map[string]string{
		"subprocess.Popen":   call(name("subprocess", "Popen"), text("true")),
		"mine.Config":        call(name("mine", "Config"), ""),
		"mine.Config.Inner":  call(name("mine", "Config.Inner"), ""),
		"os.system":          name("os", "system"),
		"os.PathLike":        name("os", "PathLike"),
		"builtins.getattr":   name("builtins", "getattr"),
		"builtins.eval":      instance(name("builtins", "eval"), text("1")),
		"functools.partial":  name("functools", "partial"),
		"runpy._run_code":    name("runpy", "_run_code"),
		"subprocess._X":      name("subprocess", "_X"),
		"torch.load":         call(name("torch", "load"), text("x")),
		"torch.hub.Load":     call(name("torch.hub", "Load"), text("x")),
		"torch.complex":      call(name("torch", "complex"), number(1)),
		"mine.Callable":      call(instance(name("mine", "Callable"), ""), ""), // an instance of it is called
		"torch._utils.Thing": call(name("torch._tensor", "_rebuild_from_type_v2"), name("torch._utils", "Thing")+"N"+")N"),
	} {
		_, err := Decode(torchFile(t, items(text("model"), items(text("w"), tensorOf1()), text("beside"), object)))
		if err == nil || !strings.Contains(err.Error(), what) && what != "mine.Callable" && what != "torch._utils.Thing" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Weights are found under the keys that training programs use; where they were is told.
func TestWhereTheWeightsAre(t *testing.T) {
	module := with(instance(name("torch.nn.modules.container", "Sequential"), ""), items(
		text("_parameters"), items(text("w"), tensorOf1(), text("bias"), "N"), text("_buffers"), items(),
		text("_modules"), items(text("inner"), with(instance(name("mine", "Layer"), ""), items(text("_buffers"), items(text("mean"), tensorOf1()))))))
	weights := items(text("w"), tensorOf1())
	for _, test := range []struct {
		what, object, under string
		others, names       []string
		fault               string
	}{
		{what: "state_dict", object: items(text("state_dict"), weights), under: "state_dict"},
		{what: "model_state_dict", object: items(text("model_state_dict"), weights, text("optimizer"), weights), under: "model_state_dict"},
		{what: "ema alone", object: items(text("ema_state_dict"), weights), under: "ema_state_dict"},
		{what: "model before ema", object: items(text("ema"), weights, text("model"), weights), under: "model", others: []string{"ema"}},
		{what: "student before teacher", object: items(text("teacher"), weights, text("student"), weights), under: "student", others: []string{"teacher"}},
		{what: "a model before an averaged one's", object: items(text("ema"), items(text("model"), weights), text("net"), weights), under: "net", others: []string{"ema.model"}},
		{what: "two keys deep", object: items(text("state"), items(text("model"), weights)), under: "state.model"},
		{what: "a key that nobody knows", object: items(text("detector"), weights), under: "detector"},
		{what: "the top", object: items(text("w"), tensorOf1(), text("epoch"), number(1))},
		{what: "a pickled module", object: items(text("model"), module), under: "model", names: []string{"w", "inner.mean"}},
		{what: "a pickled module alone", object: module, names: []string{"w", "inner.mean"}},
		{what: "an instance of a class that is a dictionary", object: instance(name("mine", "Bag"), "") + "(" + text("model") + weights + "u", under: "model"},
		{what: "nothing", object: items(text("epoch"), number(1), text("args"), items()), fault: `its 2 keys are "epoch", "args"`},
		{what: "several that nobody knows", object: items(text("one"), weights, text("two"), weights), fault: "under one and two"},
		{what: "an optimizer alone", object: items(text("optimizer"), weights), fault: `its 1 keys are "optimizer"`},
		{what: "a list", object: "](" + tensorOf1() + "e", fault: "no dictionary"},
		{what: "one tensor", object: tensorOf1(), fault: "one tensor without a name"},
		{what: "fp8", object: items(text("model"), items(text("w"), call(name("torch._utils", "_rebuild_tensor_v3"), strings.Join([]string{
			"(" + text("storage") + name("torch.storage", "UntypedStorage") + text("0") + text("cpu") + number(4) + "tQ", number(0), number(4) + "\x85", number(1) + "\x85",
			"\x89", "N", name("torch", "float8_e4m3fn")}, "")))), fault: `"w" is float8_e4m3fn, which is not supported`},
		{what: "a sparse tensor", object: items(text("w"), call(name("torch._utils", "_rebuild_sparse_tensor"), "NN")), fault: `"w" is sparse`},
	} {
		t.Run(test.what, func(t *testing.T) {
			f, err := Decode(torchFile(t, test.object))
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("error %v, want one with %q", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if test.names == nil {
				test.names = []string{"w"}
			}
			var names []string
			for _, tensor := range f.Tensors {
				names = append(names, tensor.Name)
			}
			got := fmt.Sprint(f.Under, f.Others, names)
			if want := fmt.Sprint(test.under, test.others, test.names); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// Names of a file cannot write to the terminal.
func TestNamesArePrintedQuoted(t *testing.T) {
	f, err := Decode(torchFile(t, items(text("model"), items(text("roi_heads.w"), tensorOf1(), text("\x1b[2J\n"), tensorOf1()), text("\x1b]0;"), items(text("w"), tensorOf1()))))
	if err != nil {
		t.Fatal(err)
	}
	report, err := LoadInto(model.NewStore(), f)
	if err != nil {
		t.Fatal(err)
	}
	if line := report.String(); strings.ContainsAny(line, "\x1b\n") || !strings.Contains(line, `\x1b[2J\n`) || !strings.Contains(line, `\x1b]0;`) {
		t.Errorf("report %q", line)
	}
}

// The types and views of tensors that torch has besides those of the reference's files.
func TestFormsOfTensors(t *testing.T) {
	storage := func(kind string, count byte, view string) string {
		return "(" + text("storage") + kind + text("0") + text("cpu") + number(count) + view + "tQ"
	}
	one := number(1) + "\x85"
	for what, tensor := range map[string]string{
		"before 0.4":           call(name("torch._utils", "_rebuild_tensor"), storage(name("torch", "FloatStorage"), 1, "")+number(0)+one+one),
		"a view of a storage":  call(name("torch._utils", "_rebuild_tensor"), storage(name("torch", "FloatStorage"), 1, text("v")+number(0)+number(1)+"\x87")+number(0)+one+one),
		"on a GPU, before 0.4": call(name("torch._utils", "_rebuild_tensor"), storage(name("torch.cuda", "FloatStorage"), 1, "")+number(0)+one+one),
		"a storage of bytes": call(name("torch._utils", "_rebuild_tensor_v3"),
			storage(name("torch.storage", "UntypedStorage"), 4, "")+number(0)+one+one+"\x89N"+name("torch", "float32")),
		"a parameter":            call(name("torch._utils", "_rebuild_parameter"), tensorOf1()+"\x88N"),
		"a parameter with state": call(name("torch._utils", "_rebuild_parameter_with_state"), tensorOf1()+"\x88N"+items()),
		"an instance":            instance(name("torch.nn.parameter", "Parameter"), tensorOf1()+"\x88"),
		"of a subclass":          call(name("torch._tensor", "_rebuild_from_type_v2"), name("torch._utils", "_rebuild_parameter")+name("mine", "Tensor")+"("+tensorOf1()+"\x88Nt"+items()),
		"of numpy's protocol 5":  call(name("numpy._core.numeric", "_frombuffer"), "\x96\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x3f"+call(name("numpy", "dtype"), text("f4")+"\x89\x88")+one+text("C")),
		"of numpy, to be a tensor": call(name("torch._utils", "_rebuild_device_tensor_from_numpy"), call(name("numpy.core.numeric", "_frombuffer"),
			"\x96\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x3f"+call(name("numpy", "dtype"), text("f4")+"\x89\x88")+one+text("F"))+name("torch", "float32")+text("xla:0")+"\x89"),
	} {
		f, err := Decode(torchFile(t, items(text("w"), tensor)))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if values, err := f.Tensors[0].Float32(); err != nil || len(values) != 1 || values[0] != 1 {
			t.Errorf("%s: %v, %v, want [1]", what, values, err)
		}
	}
	outside := call(name("torch._utils", "_rebuild_tensor"), storage(name("torch", "FloatStorage"), 1, text("v")+number(1)+number(1)+"\x87")+number(0)+one+one)
	if _, err := Decode(torchFile(t, items(text("w"), outside))); err == nil || !strings.Contains(err.Error(), "part of a storage") {
		t.Errorf("a view beyond its storage: %v", err)
	}
}

func TestFilesOfOtherKindsAreNamed(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	var script bytes.Buffer
	w := zip.NewWriter(&script)
	for _, name := range []string{"net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"} {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for want, data := range map[string]string{
		"a web page":         "\n<!DOCTYPE html><html><title>404</title></html>",
		"a Git LFS pointer":  "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
		"a JSON text":        `{"error": "not found"}`,
		"a gzip file":        "\x1f\x8b\x08",
		"an HDF5 file":       "\x89HDF\r\n\x1a\n",
		"a tar file":         string(tar),
		"TorchScript":        script.String(),
		"one NumPy array":    "\x93NUMPY\x01\x00",
		"the file is empty":  "",
		"not a checkpoint: ": "PL\x03\x04",
	} {
		if _, err := Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A word before all names is left away where more fits without it, and told.
func TestPrefixOfAllNames(t *testing.T) {
	one := []int{1}
	model := []Entry{{"backbone.stem.weight", one}, {"roi_heads.fc.weight", one}}
	for prefix, file := range map[string][]Entry{
		"":              {{"stem.weight", one}},
		"model.":        {{"model.backbone.stem.weight", one}, {"model.roi_heads.fc.weight", one}},
		"module.model.": {{"module.model.backbone.stem.weight", one}, {"module.model.extra", one}},
	} {
		m, err := Match(model, file)
		if err != nil || m.Prefix != prefix || len(m.Loaded) == 0 {
			t.Errorf("%v: prefix %q, loaded %v, %v; want %q", file, m.Prefix, m.Loaded, err, prefix)
		}
	}
}
