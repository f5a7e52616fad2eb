package device

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// TestEnvironmentChoosesOptions compares each variable's effect with the options of an empty
// environment.
func TestEnvironmentChoosesOptions(t *testing.T) {
	unset := func(t *testing.T) {
		for _, name := range []string{"GOMLX_BACKEND", PluginEnv, KeepEnv, dirsEnv, xlaFlagsEnv, xlaOptionsEnv, tunablesEnv, tf32Env} {
			t.Setenv(name, "")
		}
	}
	unset(t)
	if got, want := FromEnvironment(), (Options{PluginDirs: []string{}, LargePages: true, TrimMemory: true, KeepPrograms: true, TuneXLA: true, FullPrecision: true}); !equal(got, want) {
		t.Errorf("nothing set: %+v, want %+v", got, want)
	}
	for _, test := range []struct {
		name, value string
		change      func(*Options)
	}{
		{"GOMLX_BACKEND", "xla:cuda", func(o *Options) { o.Backend = "xla:cuda" }},
		{PluginEnv, "/cpu.so", func(o *Options) { o.Plugin = "/cpu.so" }},
		{dirsEnv, "/a" + string(filepath.ListSeparator), func(o *Options) { o.PluginDirs = []string{"/a"} }},
		{tunablesEnv, "glibc.malloc.hugetlb=0", func(o *Options) { o.LargePages = false }},
		{KeepEnv, "off", func(o *Options) { o.KeepPrograms = false }},
		{xlaFlagsEnv, noXNNPACK + " --xla_dump_to=/dump", func(o *Options) { o.KeepPrograms = false }},
		{xlaFlagsEnv, noXNNPACK + " " + noTritonProducts, func(*Options) {}}, // inherited from a process of ours
		{xlaOptionsEnv, "xla_dump_to: '/dump'", func(o *Options) { o.KeepPrograms = false }},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := FromEnvironment()
			test.change(&want)
			t.Setenv(test.name, test.value)
			if got := FromEnvironment(); !equal(got, want) {
				t.Errorf("%s=%s: %+v, want %+v", test.name, test.value, got, want)
			}
		})
	}
}

func equal(a, b Options) bool {
	if !slices.Equal(a.PluginDirs, b.PluginDirs) {
		return false
	}
	a.PluginDirs, b.PluginDirs = nil, nil
	return reflect.DeepEqual(a, b)
}
