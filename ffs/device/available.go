package device

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// AvailableMemory returns the bytes of the host's memory that this process could still take: those
// that Linux calls available, or what is left of the limit of its container. It returns 0 if that
// is unknown.
func AvailableMemory() int64 {
	var free int64
	info, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(info)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			free = kib << 10
		}
	}
	number := func(file string) (int64, error) {
		text, err := os.ReadFile("/sys/fs/cgroup/" + file)
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	}
	limit, err := number("memory.max") // "max" if there is no limit
	if err != nil {
		return free
	}
	if used, err := number("memory.current"); err == nil && limit-used < free {
		return max(limit-used, 1)
	}
	return free
}
