package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/npz"
	"ffslab/ffs/outlier"
	"ffslab/viz/escape"
)

func newSample() *cobra.Command {
	var (
		dir, out    string
		method      string
		draw, keep  int
		seed        uint64
		temperature float64
	)
	cmd := &cobra.Command{
		Use:   "sample --run DIR",
		Short: "Draw synthetic features by any method, and mark the outliers among them",
		Long: `Draw features by a method of synthesis as training does, and mark those that
training would keep. The flow maps latents z ~ N(0, T^2 I) to features and keeps
the least likely; the temperature T scales the noise of every method. Methods that
observe inliers see objects of the run's training set.

Methods: ` + strings.Join(outlier.Names(), ", ") + `.

Write OUT.npz with features [n, dim], energy [n], weighted_energy [n], outlier [n]
bool and class [n], nll [n] if the method has a density, and latents [n, dim] if
it has a flow, in the order of the draws; and OUT.csv, the same without vectors.`,
		Example: `  ffs sample --run runs/digits
  ffs sample --run runs/digits -n 1000 --select 20 --seed 7 --out outliers
  ffs sample --run runs/digits --method gaussian -n 1200`,
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
				return fmt.Errorf("-n %d, --select %d: draw at least one feature, and select between 1 and that many", draw, keep)
			}
			if out == "" {
				out = inRun(dir, "samples")
			}
			if method == "" {
				method = c.Method
			}
			if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
				return err
			}
			s, err := model.Draw(cmd.Context(), method, draw, temperature, seed)
			if err != nil {
				return err
			}
			if s.All && cmd.Flags().Changed("select") {
				return fmt.Errorf("--select %d: the method %s keeps all draws: leave the flag out", keep, method)
			}
			outliers := s.Outliers(keep)
			if err := writeSamples(out, s, outliers); err != nil {
				return err
			}
			kept := 0
			for _, is := range outliers {
				if is {
					kept++
				}
			}
			escape.Fprintf(os.Stdout, "%d features by %s, %d outliers: %s.npz, %s.csv\n", len(s.Features), method, kept, out, out)
			return nil
		},
	}
	flags := cmd.Flags()
	runFlag(flags, &dir)
	flags.StringVar(&method, "method", "", "method of synthesis; empty: the run's model.outlier.method")
	flags.IntVarP(&draw, "number", "n", 0, "number of features to draw; unless given, the run's model.outlier.sample_from")
	flags.IntVar(&keep, "select", 0, "number of outliers to keep, for each class if the method draws for each; unless given, the run's model.outlier.select")
	flags.Float64Var(&temperature, "temperature", 1, "factor of the noise; for the flow, the standard deviation of the latents")
	flags.Uint64Var(&seed, "seed", 0, "seed of the noise")
	flags.StringVar(&out, "out", "", "files to write, without extension; empty: RUN/samples, of a detector of the zoo out/samples-NAME")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

func writeSamples(path string, s *infer.Synthesis, outliers []bool) error {
	n, dim := len(s.Features), len(s.Features[0])
	energy, weighted := make([]float64, n), make([]float64, n)
	for i, score := range s.Scores {
		energy[i], weighted[i] = score.Energy, score.WeightedEnergy
	}
	arrays := npz.Arrays{
		"features":        npz.New(slices.Concat(s.Features...), n, dim),
		"class":           npz.New(s.Class, n),
		"outlier":         npz.New(outliers, n),
		"energy":          npz.New(energy, n),
		"weighted_energy": npz.New(weighted, n),
	}
	if s.Latents != nil {
		arrays["latents"] = npz.New(slices.Concat(s.Latents...), n, dim)
	}
	if s.NLL != nil {
		arrays["nll"] = npz.New(s.NLL, n)
	}
	if err := npz.Write(path+".npz", arrays); err != nil {
		return err
	}
	table := eval.NewTable("draw", "class", "nll", "energy", "weighted_energy", "outlier")
	for i := range n {
		nll := ""
		if s.NLL != nil {
			nll = format(s.NLL[i])
		}
		table.Add(strconv.Itoa(i), fmt.Sprint(s.Class[i]), nll, format(energy[i]), format(weighted[i]), strconv.FormatBool(outliers[i]))
	}
	if err := renameio.WriteFile(path+".csv", []byte(table.CSV()), 0o644); err != nil {
		return fmt.Errorf("%s.csv: %w", path, err)
	}
	return nil
}

func format(x float64) string { return strconv.FormatFloat(x, 'g', 9, 64) }
