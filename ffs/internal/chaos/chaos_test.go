package chaos

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ffslab/ffs/cli"
	"ffslab/ffs/internal/testkit"
)

var (
	rounds = flag.Int("chaos.n", 16, "rounds of the chaos test")
	first  = flag.Int("chaos.first", 0, "first round of the chaos test, to repeat one that failed")
	seed   = flag.Uint64("chaos.seed", 0, "seed of the chaos test's draws; 0 draws one")
)

// commandEnv makes the test binary run the command in it, its words separated by line ends, instead
// of testing.
const commandEnv = "FFSLAB_CHAOS_COMMAND"

func TestMain(m *testing.M) {
	if command := os.Getenv(commandEnv); command != "" {
		os.Args = strings.Split("ffs\n"+command, "\n")
		cli.Main()
	}
	os.Exit(m.Run())
}

// A disturbance harms one run and tells how it ended, "same numbers" for example. It fails the test
// where the run's numbers are other ones.
type disturbance struct {
	name  string
	harm  func(t *testing.T, rng *rand.Rand, want *reference) (outcome string)
	every int // rounds between two of this kind
}

func TestChaos(t *testing.T) {
	testkit.Backend(t)
	if testkit.OnGPU(t) && !strings.Contains(os.Getenv("XLA_FLAGS"), "--xla_gpu_deterministic_ops=true") {
		t.Skip("a GPU adds in no fixed order without XLA_FLAGS=--xla_gpu_deterministic_ops=true")
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-chaos.seed=%d", *seed)
	want := undisturbed(t)
	kinds := []disturbance{
		{"kill at random times", killAtRandom, 16},
		{"kill at a system call", killAtCall, 16},
		{"full disk", fillDisk, 16},
		{"failed import", failImport, 16},
		{"damaged file", damageFile, 1},
	}
	counts := map[string]int{}
	for i := *first; i < *first+*rounds; i++ {
		kind := kinds[len(kinds)-1]
		for k, d := range kinds {
			if i%d.every == k%d.every {
				kind = d
				break
			}
		}
		rng := rand.New(rand.NewPCG(*seed, uint64(i)))
		t.Run(fmt.Sprintf("%d %s", i, kind.name), func(t *testing.T) {
			counts[kind.name+": "+kind.harm(t, rng, want)]++
		})
		if t.Failed() {
			t.Fatalf("stopped at round %d: give -chaos.seed=%d -chaos.first=%d to repeat it", i, *seed, i)
		}
	}
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%4d  %s", counts[outcome], outcome)
	}
}
