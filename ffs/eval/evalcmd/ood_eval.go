package evalcmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/internal/jsonfile"
)

// oodReport is what ood-eval prints for two files of scores with --json.
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

// OodEval returns the command that compares a detector's results on known and on unknown objects,
// or the scores of two files.
func OodEval() *cobra.Command {
	var o oodResults
	var asJSON bool
	command := &cobra.Command{
		Use:   "ood-eval --id FILE --ood FILE [--id-gt GT.json]",
		Short: "Outlier measures of any detector's results, or of two files of scores",
		Long: `Measure how well scores separate inliers from outliers. Inliers are the
positives.

With --id-gt, the files are COCO results of any detector (detectron2, Ultralytics,
DETR): --id on known objects, whose annotations --id-gt names, --ood on unknown
ones. Print AP, the score threshold, and for the detections that reach it AUROC,
AUPR and FPR95 of every score with 95 % intervals, and rank the scores.

Entries may have "logits" (one for each class of --id-gt, and one for the
background last if the detector has it) and "scores": {name: value}, higher for
more inlier. The score "confidence" is the detection's own probability. Scores in
the files are kept unless --features is given to compute them from:

  --features  .npz files with features of the detections, first of --id, then of
              each --ood
  --fit       an .npz file with features of known objects of the training set,
              annotated or detected, their classes, and the class layer W, b; most
              scores are fitted on these
  --ood-gt    annotations, one file for each --ood, for open-set measures; a set
              with objects of the classes of --id-gt is measured object by object

"go doc ffslab/ffs/features" describes the .npz files; "ffs features" writes them
for a run.

Without --id-gt, each file holds scores, higher for more inlier: one a line (after
an optional header; # begins a comment), an array of NumPy (scores.npy,
scores.npz:energy) or a column of a table (scores.csv:energy). Of the flags, only
--json applies then.

FPR95 is the share of outliers that pass the threshold whose recall is nearest to
95 %, as in the published tables. The strict one uses the highest threshold that
at least 95 % of the inliers reach. The detection error is the smallest mean of
both error rates over all thresholds.`,
		Example: `  go run ./ffs ood-eval --id-gt val.json --id val_dt.json --ood unknown_dt.json
  go run ./ffs ood-eval --id-gt val.json --id val_dt.json --ood unknown_dt.json --features val.npz --features unknown.npz --fit train.npz --out tables
  go run ./ffs ood-eval --id energies_id.txt --ood energies_ood.txt
  go run ./ffs ood-eval --id id.csv:energy --ood ood.csv:energy --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.truth != "" {
				return o.run(command, asJSON)
			}
			if len(o.outliers) != 1 {
				return fmt.Errorf("without --id-gt, two files of scores are compared: give one --ood, not %d; or give --id-gt for results files", len(o.outliers))
			}
			if names := notForScoreFiles(command.LocalFlags()); len(names) > 0 {
				return fmt.Errorf("without --id-gt, two files of scores are compared: give none of %s; or give --id-gt for results files", strings.Join(names, ", "))
			}
			return compareScoreFiles(command.OutOrStdout(), o.inlier, o.outliers[0], asJSON)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.inlier, "id", "", "results or scores of inliers, for example val_dt.json or energies_id.txt (required)")
	flags.StringArrayVar(&o.outliers, "ood", nil, "results or scores of outliers; repeat for several results, named as in birds=unknown_dt.json (required)")
	flags.StringVar(&o.truth, "id-gt", "", "COCO annotations of the inlier set, for example val.json")
	flags.StringArrayVar(&o.outlierTruths, "ood-gt", nil, "COCO annotations of an outlier set, one for each --ood, for example unknown.json")
	flags.StringArrayVar(&o.features, "features", nil, ".npz features of the detections: of --id, then of each --ood")
	flags.StringVar(&o.fit, "fit", "", ".npz features of known objects of the training set, to fit scores on")
	flags.StringSliceVar(&o.scores, "scores", []string{posthoc.All}, "post-hoc scores, for example energy,knn")
	flags.StringVar(&o.out, "out", "", "folder for metrics.json, metrics.md and tables; empty: none")
	flags.IntVar(&o.bootstrap.Resamples, "bootstrap", eval.DefaultResamples, "resamples for the 95 % intervals; 0: no intervals")
	flags.Uint64Var(&o.bootstrap.Seed, "bootstrap-seed", 0, "seed of the resamples")
	flags.BoolVar(&o.skipEmpty, "skip-empty-classes", false, "leave classes without objects out of the score threshold, in which the original counts each as -1")
	flags.BoolVar(&o.strict, "strict", false, "fail on files that would need mending")
	flags.BoolVar(&asJSON, "json", false, "print JSON, fractions instead of percent")
	cobra.CheckErr(errors.Join(command.MarkFlagRequired("id"), command.MarkFlagRequired("ood")))
	return command
}

// notForScoreFiles returns the flags given that only results files have a use for.
func notForScoreFiles(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "id", "id-gt", "ood", "json", "help":
		default:
			if f.Changed {
				names = append(names, "--"+f.Name)
			}
		}
	})
	return names
}

func compareScoreFiles(w io.Writer, inlierFile, outlierFile string, asJSON bool) error {
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
	if asJSON {
		return jsonfile.Print(w, oodReport{s.AUROC, s.AUPR, s.FPR95, s.FPR95Strict, len(inlier), len(outlier), s.AUPROut, s.DetectionError})
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
}
