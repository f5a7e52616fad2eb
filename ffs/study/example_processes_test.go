//go:build unix

package study_test

import (
	"context"
	"fmt"
	"os"

	"ffslab/ffs/study"
)

// Two processes at a time. The program here is a shell that says which cell it was given.
func ExampleProcesses() {
	dir, err := os.MkdirTemp("", "study")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	over, err := study.Processes{Parallel: 2}.Launch(context.Background(), study.Job{
		Dir: dir, Cells: []string{"none-seed0", "flow-seed0"}, Program: "/bin/sh", Args: []string{"-c", `echo "trains $1"`},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	log, err := os.ReadFile(study.LogPath(dir, "flow-seed0"))
	fmt.Printf("over: %v, log: %s", over, log)
	// Output: over: true, log: trains flow-seed0
}
