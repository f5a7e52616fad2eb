package cli

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"ffslab/ffs/infer"
	"ffslab/ffs/npz"
	"ffslab/internal/escape"
)

func newSample() *cobra.Command {
	var (
		dir, out    string
		draw, keep  int
		seed        uint64
		temperature float64
	)
	cmd := &cobra.Command{
		Use:   "sample --run DIR",
		Short: "Draw latents from the flow and keep the least likely features: synthetic outliers",
		Long: `Draw latents z ~ N(0, T^2 I), take them backwards through the flow, and mark the features of the lowest likelihood as outliers.

Writes OUT.npz (latents [n, dim], features [n, dim], nll [n], energy [n], weighted_energy [n], outlier [n] bool; draws in their order) and OUT.csv (the
same without the vectors).`,
		Example: `  ffs sample --run runs/digits
  ffs sample --run runs/digits -n 1000 --select 20 --seed 7 --out outliers`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			c := model.Config.Model.Outlier
			if !cmd.Flags().Changed("number") {
				draw = c.SampleFrom
			}
			if !cmd.Flags().Changed("select") {
				keep = c.Select
			}
			if draw < 1 || keep < 1 || keep > draw {
				return fmt.Errorf("-n %d, --select %d: draw at least one latent, and select between 1 and that many", draw, keep)
			}
			if out == "" {
				out = filepath.Join(dir, "samples")
			}
			s, err := model.Synthesize(draw, keep, temperature, seed)
			if err != nil {
				return err
			}
			if err := writeSamples(out, s); err != nil {
				return err
			}
			escape.Fprintf(os.Stdout, "%d features, %d outliers: %s.npz, %s.csv\n", draw, keep, out, out)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "run", "", "folder of the run (runs/digits)")
	flags.IntVarP(&draw, "number", "n", 0, "latents to draw; default: the run's model.outlier.sample_from (200)")
	flags.IntVar(&keep, "select", 0, "outliers to keep; default: the run's model.outlier.select (1)")
	flags.Float64Var(&temperature, "temperature", 1, "standard deviation of the latents")
	flags.Uint64Var(&seed, "seed", 0, "seed of the latents")
	flags.StringVar(&out, "out", "", "files to write, without ending; default: RUN/samples")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

func writeSamples(path string, s *infer.Synthesis) error {
	n, dim := len(s.Features), len(s.Features[0])
	column := func(value func(i int) float64) *npz.Array {
		values := make([]float64, n)
		for i := range values {
			values[i] = value(i)
		}
		return npz.New(values, n)
	}
	err := npz.Write(path+".npz", npz.Arrays{
		"latents":         npz.New(slices.Concat(s.Latents...), n, dim),
		"features":        npz.New(slices.Concat(s.Features...), n, dim),
		"nll":             npz.New(s.NLL, n),
		"outlier":         npz.New(s.Outlier, n),
		"energy":          column(func(i int) float64 { return s.Scores[i].Energy }),
		"weighted_energy": column(func(i int) float64 { return s.Scores[i].WeightedEnergy }),
	})
	if err != nil {
		return err
	}
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	rows := [][]string{{"draw", "nll", "energy", "weighted_energy", "outlier"}}
	for i := range n {
		rows = append(rows, []string{strconv.Itoa(i), format(s.NLL[i]), format(s.Scores[i].Energy), format(s.Scores[i].WeightedEnergy), strconv.FormatBool(s.Outlier[i])})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return renameio.WriteFile(path+".csv", table.Bytes(), 0o644)
}

func format(x float64) string { return strconv.FormatFloat(x, 'g', 9, 64) }
