//go:build cgo && linux

package device

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ffslab/ffs/internal/cache"
)

const (
	// keptBytes is the most that kept programs take on disk. The least recently used go first.
	keptBytes = 1 << 30
	// worthKeeping is the shortest compile time of a kept program. Tests compile thousands of small
	// ones.
	worthKeeping = 300 * time.Millisecond
)

// keeper keeps compiled programs for later processes. The key of a program has all that determines
// compilation: the plugin's file and flags, the program itself, and the processor with its number
// of cores or the models and driver of the GPUs. A program that cannot be read is compiled.
type keeper struct {
	dir     string
	machine string // the part of the key that all programs share
	limit   int64
	worth   time.Duration
}

// newKeeper returns a keeper in the user's cache for a plugin for CPUs or for NVIDIA's GPUs. The
// error says why programs are not kept.
func newKeeper(plugin string) (*keeper, error) {
	var target string
	var err error
	switch {
	case forGPU(plugin):
		target, err = gpus("/proc/driver/nvidia")
	case strings.Contains(filepath.Base(plugin), "cpu"):
		if target, err = processor(); err == nil {
			target = fmt.Sprintf("%d|%s", runtime.NumCPU(), target)
		}
	default:
		err = fmt.Errorf("%s may be for another processor than this machine's CPU", plugin)
	}
	if err != nil {
		return nil, err
	}
	file, err := identity(plugin)
	if err != nil {
		return nil, err
	}
	dir, err := cache.Dir("compiled")
	if err != nil {
		return nil, err
	}
	machine := fmt.Sprintf("%s|%s|%s", file, os.Getenv(xlaFlagsEnv), target)
	return &keeper{dir: dir, machine: machine, limit: keptBytes, worth: worthKeeping}, nil
}

// forGPU reports whether a plugin's file is for NVIDIA's GPUs.
func forGPU(plugin string) bool { return strings.Contains(filepath.Base(plugin), "cuda") }

// gpus describes NVIDIA's GPUs by the driver's folder and the environment: the driver's version,
// the models, which of them are visible, and TF32. The compiler measures on the GPU which functions
// of its libraries are fastest, so a program is for one model and driver.
func gpus(dir string) (string, error) {
	driver := nvidiaDriver(filepath.Join(dir, "version"))
	models, err := gpuModels(filepath.Join(dir, "gpus"))
	if err != nil {
		return "", err
	}
	if driver == "" || models == nil {
		return "", fmt.Errorf("%s does not name the driver and the GPUs", dir)
	}
	return fmt.Sprintf("%s|%q|%s|%s", driver, models, os.Getenv("CUDA_VISIBLE_DEVICES"), os.Getenv(tf32Env)), nil
}

// setCUDAFolder tells XLA where CUDA's files are if they are beside the plugin's folder, as in a
// Python environment. go-xla does so for plugins that it opens itself.
func setCUDAFolder(plugin string) {
	dir := filepath.Join(filepath.Dir(filepath.Dir(plugin)), "nvidia")
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		setFlag(cudaFolder + dir)
	}
}

// processor describes the CPU: a program compiled for one may not run on another.
func processor() (string, error) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(line, "\t"); name == "model name" || name == "flags" || name == "Features" {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return "", errors.New("/proc/cpuinfo does not name the processor")
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), ""), nil // one of each for all cores
}

// path returns the file of the program with the given parts.
func (k *keeper) path(parts ...[]byte) string {
	h := sha256.New()
	add := func(part []byte) {
		fmt.Fprintf(h, "%d:", len(part)) // separates the parts
		h.Write(part)
	}
	add([]byte(k.machine))
	for _, part := range parts {
		add(part)
	}
	return filepath.Join(k.dir, hex.EncodeToString(h.Sum(nil))[:32])
}

// read returns what was written to a path, or nil if it is absent or incomplete.
func (k *keeper) read(path string) []byte {
	file, err := os.ReadFile(path)
	if err != nil || len(file) < sha256.Size {
		return nil
	}
	sum, data := file[:sha256.Size], file[sha256.Size:]
	if sha256.Sum256(data) != [sha256.Size]byte(sum) {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // most recently used
	return data
}

// write writes data to a path, then prunes. Errors are ignored: the program is already compiled.
func (k *keeper) write(path string, data []byte) {
	sum := sha256.Sum256(data)
	if cache.WriteFile(path, append(sum[:], data...)) == nil {
		k.prune()
	}
}

// prune removes the least recently used files beyond the limit, and what killed processes have
// left.
func (k *keeper) prune() {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return
	}
	var files []os.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		switch {
		case err != nil:
		case strings.HasPrefix(info.Name(), ".") && time.Since(info.ModTime()) > time.Hour:
			_ = os.Remove(filepath.Join(k.dir, info.Name())) // left by a killed process
		default:
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var total int64
	for i, file := range files {
		if total += file.Size(); total > k.limit && i > 0 {
			_ = os.Remove(filepath.Join(k.dir, file.Name()))
		}
	}
}
