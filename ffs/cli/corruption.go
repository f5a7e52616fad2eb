package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ffslab/data/corrupt"
)

// defaultSeverity is the severity of --corruption without --corruption-level.
const defaultSeverity = 3

// corruptionFlags adds --corruption-level and --corruption. It returns a function that returns
// their values after the command line is parsed. The error lists the valid values.
func corruptionFlags(cmd *cobra.Command) func() (corrupt.Choice, error) {
	var c corrupt.Choice
	names := strings.Join(corrupt.Names(), ", ")
	flags := cmd.Flags()
	flags.IntVar(&c.Severity, "corruption-level", 0,
		fmt.Sprintf("corrupt images at this severity, 1 to %d; 0: not at all. Without --corruption, image i of a set gets corruption i mod %d", corrupt.MaxSeverity, len(corrupt.Names())))
	flags.StringVar(&c.Name, "corruption", "",
		fmt.Sprintf("corrupt all images in this way, at severity %d unless --corruption-level is given: %s", defaultSeverity, names))
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
