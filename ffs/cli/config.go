package cli

import (
	"os"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"ffslab/ffs/config"
)

func newConfig() *cobra.Command {
	var settings []string
	cmd := &cobra.Command{
		Use:   "config [PRESET|FILE]",
		Short: "Print a configuration with all its keys",
		Long: `Print a preset or a YAML file as the complete configuration that a training with
it records. The printed text is a configuration file itself. The comments of
package config ("go doc -all ./ffs/config") explain the keys.`,
		Example: `  ffs config voc
  ffs config mine.yaml --set model.outlier.method=gaussian`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: config.PresetNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			name := config.DefaultPreset
			if len(args) == 1 {
				name = args[0]
			}
			c, err := config.Load(name, settings...)
			if err != nil {
				return err
			}
			return yaml.NewEncoder(os.Stdout).Encode(c)
		},
	}
	cmd.Flags().StringArrayVar(&settings, "set", nil, "a setting, for example model.outlier.method=none; may be repeated")
	return cmd
}
