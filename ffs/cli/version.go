package cli

import (
	"cmp"
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"ffslab/ffs/run"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the commit of the program, as runs record it, and the version of Go",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(os.Stdout, "ffs %s %s %s/%s\n", cmp.Or(run.Commit(), "of an unknown commit"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
