package device

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
)

// The environment variables that users may set; see the package's table.
const (
	PluginEnv   = "FFSLAB_PJRT_PLUGIN"
	KeepEnv     = "FFSLAB_COMPILED" // "off": compile all programs anew
	dirsEnv     = "PJRT_PLUGIN_LIBRARY_PATH"
	xlaFlagsEnv = "XLA_FLAGS"
	// xlaOptionsEnv holds options for XLA's compiler as go-xla reads them.
	xlaOptionsEnv = "XLA_DEBUG_OPTIONS"
	tunablesEnv   = "GLIBC_TUNABLES"
	tf32Env       = "NVIDIA_TF32_OVERRIDE"
)

// Variables are the names of the environment variables that change what is computed, or where:
// those of the package's table but GLIBC_TUNABLES, which changes only the speed.
var Variables = []string{compute.ConfigEnvVar, PluginEnv, KeepEnv, dirsEnv, xlaFlagsEnv, xlaOptionsEnv, tf32Env}

const (
	// noTritonProducts computes matrix products by cuBLAS. XLA's own fusion of products (plugin of
	// jax 0.11.2) aborts the process in the training step, "triton_tiling_propagation.cc: Check
	// failed: subdim_size_accumulator == dim_size".
	noTritonProducts = "--xla_gpu_enable_triton_gemm=false"
	// noXNNPACK computes matrix products on the CPU by Eigen. At each call, XNNPACK packs the
	// second factor, such as the weights of the flow and of 1x1 kernels, into memory that it keeps
	// (130 MB in a training step of "voc"). The flow and detection take a tenth longer with it
	// (ffs/bench/LOG.md).
	noXNNPACK = "--xla_cpu_use_xnnpack=false"
	// cudaFolder is the prefix of the flag that go-xla or setCUDAFolder sets.
	cudaFolder = "--xla_gpu_cuda_data_dir="
)

// FromEnvironment returns the options of the commands and of the notebooks' kernel: all that makes
// programs faster or smaller, except what the user's environment variables change (see the
// package's table).
func FromEnvironment() Options {
	return Options{
		Backend: os.Getenv(compute.ConfigEnvVar),
		Plugin:  os.Getenv(PluginEnv),
		PluginDirs: slices.DeleteFunc(filepath.SplitList(os.Getenv(dirsEnv)), func(dir string) bool {
			return dir == "" // "/a:" does not include the working directory
		}),
		LargePages:    !strings.Contains(os.Getenv(tunablesEnv), largePages),
		TrimMemory:    true,
		KeepPrograms:  os.Getenv(KeepEnv) != "off" && !flagsOfUser(),
		TuneXLA:       true,
		FullPrecision: true,
	}
}

// flagsOfUser reports whether the user sets flags or options of XLA, that is, others than ours,
// which a process inherits. Then programs must be compiled.
func flagsOfUser() bool {
	ours := []string{noXNNPACK, noTritonProducts}
	return os.Getenv(xlaOptionsEnv) != "" ||
		slices.ContainsFunc(strings.Fields(os.Getenv(xlaFlagsEnv)), func(flag string) bool {
			return !slices.Contains(ours, flag) && !strings.HasPrefix(flag, cudaFolder)
		})
}

// largePages is the setting of GNU's C library for memory in large pages.
const largePages = "glibc.malloc.hugetlb"

// Start restarts the program in the same process with GLIBC_TUNABLES=glibc.malloc.hugetlb=1, if the
// options ask for large pages and the system offers them ("madvise" in
// /sys/kernel/mm/transparent_hugepage/enabled). The C library reads the variable only when a
// program starts; children inherit it. A training step writes hundreds of MiB of fresh memory,
// which takes 8 % of its time in small pages. Errors are ignored: large pages only save time. Call
// Start first in main.
func Start(options Options) {
	if options.LargePages {
		restartWithLargePages()
	}
}
