//go:build cgo && linux

package device

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// startEnv makes TestStarted a process of TestStartAsksForLargePages.
const startEnv = "FFSLAB_TEST_START"

func TestStarted(t *testing.T) {
	if os.Getenv(startEnv) == "" {
		t.Skip("is run by TestStartAsksForLargePages")
	}
	Start(FromEnvironment())
	fmt.Printf("tunables %q, process %d\n", os.Getenv(tunablesEnv), os.Getpid())
}

// The program starts once more, as the same process, unless the user's environment speaks of large
// pages.
func TestStartAsksForLargePages(t *testing.T) {
	enabled, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || !strings.Contains(string(enabled), "[madvise]") {
		t.Skipf("this system does not offer large pages on demand: %s %v", enabled, err)
	}
	for before, after := range map[string]string{
		"":                       "glibc.malloc.hugetlb=1",
		"glibc.malloc.hugetlb=0": "glibc.malloc.hugetlb=0",
		"glibc.malloc.check=0":   "glibc.malloc.check=0:glibc.malloc.hugetlb=1",
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStarted$", "-test.v")
		command.Env = append(os.Environ(), startEnv+"=1", tunablesEnv+"="+before)
		out, err := command.CombinedOutput()
		want := fmt.Sprintf("tunables %q, process %d\n", after, command.Process.Pid)
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%q: %v\n%swant %s", before, err, out, want)
		}
	}
}
