package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ffslab/data/corrupt"
)

// defaultSeverity is that of --corruption without --corruption-level.
const defaultSeverity = 3

// corruptionFlags adds --corruption-level and --corruption. The function that it returns gives their values once the command line is read; its
// error lists the valid ones.
func corruptionFlags(cmd *cobra.Command) func() (corrupt.Choice, error) {
	var c corrupt.Choice
	names := strings.Join(corrupt.Names(), ", ")
	flags := cmd.Flags()
	flags.IntVar(&c.Severity, "corruption-level", 0,
		fmt.Sprintf("damage pictures at this severity, 1 to %d; 0: not at all. Without --corruption picture i of a set gets corruption i mod %d", corrupt.MaxSeverity, len(corrupt.Names())))
	flags.StringVar(&c.Name, "corruption", "",
		fmt.Sprintf("damage all pictures by this corruption, at severity %d unless --corruption-level is given: %s", defaultSeverity, names))
	return func() (corrupt.Choice, error) {
		if flags.Changed("corruption") {
			if c.Name == "" {
				return c, fmt.Errorf("--corruption is empty: give one of %s", names)
			}
			if !flags.Changed("corruption-level") {
				c.Severity = defaultSeverity
			}
		}
		return c, c.Check()
	}
}
