package device

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
)

// The environment variables that users have. What each does stands in the package's table.
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

const (
	// noTritonProducts leaves matrix products to cuBLAS: XLA's own fusion of products (plugin of jax 0.11.2) aborts the process on the
	// training step, "triton_tiling_propagation.cc: Check failed: subdim_size_accumulator == dim_size".
	noTritonProducts = "--xla_gpu_enable_triton_gemm=false"
	// noXNNPACK leaves matrix products on the CPU to Eigen. XNNPACK packs the second factor anew at each call, weights of the flow and of
	// 1x1 kernels, into memory that it keeps (130 MB in a training step of "voc"), and is no faster for it: with it the flow and detection
	// take a tenth longer (ffs/bench/README.md).
	noXNNPACK = "--xla_cpu_use_xnnpack=false"
	// cudaFolder begins the flag that go-xla or we set, see setCUDAFolder.
	cudaFolder = "--xla_gpu_cuda_data_dir="
)

// FromEnvironment returns the options of the commands and of the notebooks' kernel: everything that makes programs faster or
// smaller, but for what the user's environment variables say otherwise (the package's table).
func FromEnvironment() Options {
	return Options{
		Backend: os.Getenv(compute.ConfigEnvVar),
		Plugin:  os.Getenv(PluginEnv),
		PluginDirs: slices.DeleteFunc(filepath.SplitList(os.Getenv(dirsEnv)), func(dir string) bool {
			return dir == "" // "/a:" does not mean to load what lies in the working directory
		}),
		LargePages:    !strings.Contains(os.Getenv(tunablesEnv), largePages),
		TrimMemory:    true,
		KeepPrograms:  os.Getenv(KeepEnv) != "off" && !flagsOfUser(),
		TuneXLA:       true,
		FullPrecision: true,
	}
}

// flagsOfUser reports whether XLA is given flags or options that are not ours, which a process inherits. The user then looks at
// the compiler, which must run.
func flagsOfUser() bool {
	ours := []string{noXNNPACK, noTritonProducts}
	return os.Getenv(xlaOptionsEnv) != "" ||
		slices.ContainsFunc(strings.Fields(os.Getenv(xlaFlagsEnv)), func(flag string) bool {
			return !slices.Contains(ours, flag) && !strings.HasPrefix(flag, cudaFolder)
		})
}

// largePages is the setting of GNU's C library for memory in large pages.
const largePages = "glibc.malloc.hugetlb"

// Start does what a process must do to itself at its very start: if the options ask for large pages, and the system offers them
// (see "madvise" in /sys/kernel/mm/transparent_hugepage/enabled), it runs the program anew, in the same process, with
// GLIBC_TUNABLES=glibc.malloc.hugetlb=1, which the C library reads only then and which children inherit. A training step writes
// hundreds of MiB of fresh memory, which in small pages takes 8 % of its time. If anything fails, nothing happens.
func Start(options Options) {
	if options.LargePages {
		restartWithLargePages()
	}
}
