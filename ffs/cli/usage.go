package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// explainUse makes the errors of arguments and flags say what to give, for a command and all below.
func explainUse(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(flagError)
	if accepts := cmd.Args; accepts != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if accepts(cmd, args) == nil {
				return nil
			}
			if len(args) == 0 {
				return fmt.Errorf("arguments are missing: %s", cmd.UseLine())
			}
			return fmt.Errorf("%s takes other arguments than %q: %s", cmd.CommandPath(), args, cmd.UseLine())
		}
	}
	var names []string
	for _, below := range cmd.Commands() {
		explainUse(below)
		names = append(names, below.Name())
	}
	if len(names) > 0 && cmd.HasParent() && !cmd.Runnable() { // cobra shows help for any word
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return fmt.Errorf("unknown command %q for %q: there are %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
		}
	}
}

// flagError says what a number must look like in the words of the help, not of Go's parser.
func flagError(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &invalid) || !errors.As(err, &number) {
		return err
	}
	want := "a whole number"
	switch kind := invalid.GetFlag().Value.Type(); {
	case strings.HasPrefix(kind, "uint"):
		want = "a whole number, not negative"
	case strings.HasPrefix(kind, "float"):
		want = "a number"
	case kind == "bool":
		want = "true or false"
	}
	return fmt.Errorf("--%s %q: give %s", invalid.GetFlag().Name, invalid.GetValue(), want)
}

// checkRequired returns an error for a required flag that is given without content, such as the
// value of a variable that is not set.
func checkRequired(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Annotations[cobra.BashCompOneRequiredFlag] != nil && flag.Changed && flag.Value.String() == "" {
			err = errors.Join(err, fmt.Errorf("--%s is empty: give it a value (%s)", flag.Name, flag.Usage))
		}
	})
	return err
}
