package cli

import (
	"fmt"

	"github.com/spf13/pflag"
)

// tensorboardFlag adds the flag --tensorboard of a command that writes event files to the folder.
func tensorboardFlag(flags *pflag.FlagSet, on *bool, folder string) {
	flags.BoolVar(on, "tensorboard", false, fmt.Sprintf("also write event files for TensorBoard and Weights & Biases to %s", folder))
}
