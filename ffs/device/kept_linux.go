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
	// keptBytes is what kept programs may take on disk; those that were not used for longest go first.
	keptBytes = 1 << 30
	// worthKeeping is how long the compiler must have taken: tests compile thousands of small programs.
	worthKeeping = 300 * time.Millisecond
)

// keeper keeps compiled programs for later processes, by all that decides what the compiler makes:
// the plugin's file and flags, the program itself, and, on a CPU, the processor and how many cores
// there are to share work among, on GPUs, their models and their driver. A program that cannot be
// kept, or not be read, is compiled.
type keeper struct {
	dir     string
	machine string // what all its programs depend on
	limit   int64
	worth   time.Duration
}

// newKeeper keeps the programs of a plugin for CPUs or for NVIDIA's GPUs in the user's cache. Its
// error says why it does not.
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

// gpus describes NVIDIA's GPUs by the driver's folder: its version, the models, and what the
// environment says about which of them are seen and how they multiply. The compiler measures on the
// GPU which of its libraries' functions are the fastest; a program is for that model and driver.
func gpus(dir string) (string, error) {
	driver := nvidiaDriver(filepath.Join(dir, "version"))
	files, err := filepath.Glob(filepath.Join(dir, "gpus", "*", "information"))
	if err != nil {
		return "", err
	}
	var models []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			if model, ok := strings.CutPrefix(line, "Model:"); ok {
				models = append(models, strings.TrimSpace(model))
			}
		}
	}
	if driver == "" || models == nil {
		return "", fmt.Errorf("%s does not name the driver and the GPUs", dir)
	}
	slices.Sort(models)
	return fmt.Sprintf("%s|%q|%s|%s", driver, models, os.Getenv("CUDA_VISIBLE_DEVICES"), os.Getenv(tf32Env)), nil
}

// setCUDAFolder tells XLA where CUDA's files are if they lie beside the plugin's folder, as in a
// Python environment. go-xla does so for a plugin that it opens itself.
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
	return strings.Join(slices.Compact(lines), ""), nil // each core says the same
}

// path is the file of a program, which is given by its parts.
func (k *keeper) path(parts ...[]byte) string {
	h := sha256.New()
	add := func(part []byte) {
		fmt.Fprintf(h, "%d:", len(part)) // so that parts cannot be mistaken for one another
		h.Write(part)
	}
	add([]byte(k.machine))
	for _, part := range parts {
		add(part)
	}
	return filepath.Join(k.dir, hex.EncodeToString(h.Sum(nil))[:32])
}

// read returns what was written under a path, or nil if that is not there in full.
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
	_ = os.Chtimes(path, now, now) // the last to be removed
	return data
}

// write keeps data under a path and removes what is then too much. Errors are ignored: the program is compiled already.
func (k *keeper) write(path string, data []byte) {
	sum := sha256.Sum256(data)
	if cache.WriteFile(path, append(sum[:], data...)) == nil {
		k.prune()
	}
}

// prune removes the files that were not used for longest until the rest is within the limit, and what killed processes have left.
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
			_ = os.Remove(filepath.Join(k.dir, info.Name())) // what a killed process was writing
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
