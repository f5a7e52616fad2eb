//go:build cgo

package device

import (
	"os"
	"testing"
)

func TestTF32IsOffUnlessAskedFor(t *testing.T) {
	for config, want := range map[string]struct{ config, env string }{
		"/lib/pjrt_c_api_cuda_plugin.so":                            {"/lib/pjrt_c_api_cuda_plugin.so,tf32=false", "0"},
		"/lib/pjrt_c_api_cuda_plugin.so,preallocate=true":           {"/lib/pjrt_c_api_cuda_plugin.so,preallocate=true,tf32=false", "0"},
		"/lib/pjrt_c_api_cuda_plugin.so,tf32=false,preallocate":     {"/lib/pjrt_c_api_cuda_plugin.so,tf32=false,preallocate", "0"},
		"/lib/pjrt_c_api_cuda_plugin.so,notf32":                     {"/lib/pjrt_c_api_cuda_plugin.so,notf32", "0"},
		"/lib/pjrt_c_api_cuda_plugin.so,tf32":                       {"/lib/pjrt_c_api_cuda_plugin.so,tf32", ""},
		"/lib/pjrt_c_api_cuda_plugin.so,memory_fraction=0.5,tf32=1": {"/lib/pjrt_c_api_cuda_plugin.so,memory_fraction=0.5,tf32=1", ""},
	} {
		t.Setenv(tf32Env, "") // restored at the end
		os.Unsetenv(tf32Env)
		if got := fullPrecision(config); got != want.config || os.Getenv(tf32Env) != want.env {
			t.Errorf("%s: %s with %s=%q, want %s with %q", config, got, tf32Env, os.Getenv(tf32Env), want.config, want.env)
		}
	}
	t.Setenv(tf32Env, "1")
	fullPrecision("cuda")
	if os.Getenv(tf32Env) != "1" {
		t.Error("the user's own setting was overwritten")
	}
}

func TestFlagsAreSetUnlessTheUserSpeaksOfThem(t *testing.T) {
	for flags, want := range map[string]string{
		"":                                  "--xla_gpu_enable_triton_gemm=false",
		"--xla_dump_to=/dump":               "--xla_dump_to=/dump --xla_gpu_enable_triton_gemm=false",
		"--xla_gpu_enable_triton_gemm=true": "--xla_gpu_enable_triton_gemm=true",
	} {
		t.Setenv(xlaFlagsEnv, flags)
		setFlag(noTritonProducts)
		if got := os.Getenv(xlaFlagsEnv); got != want {
			t.Errorf("%q becomes %q, want %q", flags, got, want)
		}
	}
}
