package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/study"
	"ffslab/viz/escape"
)

func newStudyStatus() *cobra.Command {
	var (
		out    string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "status --out DIR",
		Short: "Show the state of every run of a study",
		Long: `Print a table of every run of the study: whether it is waiting, running (at which
step), measuring, done or failed (why), where and how long it was computed, the
largest memory of its process (without that of GPUs), and its log. Call it at any
time, also from another machine that sees the folder.`,
		Example: `  ffs study status --out studies/voc`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cells, err := study.Status(out)
			if err != nil {
				return err
			}
			if asJSON {
				return jsonfile.Print(cmd.OutOrStdout(), cells)
			}
			table := newTabs(cmd.OutOrStdout())
			fmt.Fprintln(table, "RUN\tSTATE\tHOST\tDEVICE\tTIME\tMEMORY\tLOG")
			for _, c := range cells {
				host, device, seconds, memory := "-", "-", 0.0, int64(0)
				for _, stint := range c.Stints {
					host, device = stint.Host, stint.Device
					seconds, memory = seconds+stint.Seconds, max(memory, stint.PeakMemory)
				}
				escape.Fprintf(table, "%s\t%s\t%s\t%s\t%v\t%d MiB\t%s\n", c.Cell, c.State, host, device,
					time.Duration(seconds*float64(time.Second)).Round(time.Second), memory>>20, c.Log)
			}
			return table.Flush()
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder of the study, for example studies/voc")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of a table")
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}
