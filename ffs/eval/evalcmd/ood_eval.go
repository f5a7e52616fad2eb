package evalcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"ffslab/ffs/eval"
)

// oodReport is what ood-eval prints with --json.
type oodReport struct {
	AUROC       float64 `json:"auroc"`
	AUPR        float64 `json:"aupr"`
	FPR95       float64 `json:"fpr95"`
	FPR95Strict float64 `json:"fpr95_strict"`
	Inliers     int     `json:"n_id"`
	Outliers    int     `json:"n_ood"`

	AUPROut        float64 `json:"aupr_out"`
	DetectionError float64 `json:"detection_error"`
}

// OodEval returns the command that compares the scores of two files.
func OodEval() *cobra.Command {
	var inlierFile, outlierFile string
	var asJSON bool
	command := &cobra.Command{
		Use:   "ood-eval --id FILE --ood FILE",
		Short: "AUROC, AUPR, FPR95 and detection error of two files of scores",
		Long: `Measures how well a score separates inliers from outliers. A file holds one
score a line (after a header, if there is one; # begins a comment), or it is an
array of NumPy (scores.npy, scores.npz:energy) or a table (scores.csv:energy).
Higher means more inlier, and inliers are the positives.

FPR95 is the share of outliers that pass at the threshold whose recall is
nearest to 95 % (the convention of the published tables); the strict one is at
the highest threshold that at least 95 % of the inliers reach. The detection
error is the smallest mean of both error rates of all thresholds.`,
		Example: `  go run ./ffs ood-eval --id energies_id.txt --ood energies_ood.txt
  go run ./ffs ood-eval --id id.csv:energy --ood ood.csv:energy --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			inlier, err := eval.ReadScores(inlierFile)
			if err != nil {
				return err
			}
			outlier, err := eval.ReadScores(outlierFile)
			if err != nil {
				return err
			}
			s, err := eval.Separate(inlier, outlier)
			if err != nil {
				return err
			}
			w := command.OutOrStdout()
			if asJSON {
				return writeJSON(w, oodReport{s.AUROC, s.AUPR, s.FPR95, s.FPR95Strict, len(inlier), len(outlier), s.AUPROut, s.DetectionError})
			}
			_, err = fmt.Fprintf(w, `AUROC         %6.2f %%
AUPR          %6.2f %%  (inliers positive; %.2f %% with outliers positive)
FPR95         %6.2f %%  (recall nearest 95 %%)
FPR95 strict  %6.2f %%  (recall of at least 95 %%, threshold %.6g)
error         %6.2f %%  (of the best threshold, both kinds equally frequent)
inliers       %6d
outliers      %6d
`, 100*s.AUROC, 100*s.AUPR, 100*s.AUPROut, 100*s.FPR95, 100*s.FPR95Strict, s.ThresholdTPR95, 100*s.DetectionError, len(inlier), len(outlier))
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&inlierFile, "id", "", "scores of inliers, for example energies_id.txt or id.csv:energy (required)")
	flags.StringVar(&outlierFile, "ood", "", "scores of outliers, for example energies_ood.txt or ood.npy (required)")
	flags.BoolVar(&asJSON, "json", false, "print JSON, fractions instead of percent")
	command.MarkFlagRequired("id")
	command.MarkFlagRequired("ood")
	return command
}
