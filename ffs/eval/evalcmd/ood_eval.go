package evalcmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
)

// oodReport is what ood-eval prints of two files of scores with --json.
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

// OodEval returns the command that compares a detector's results on known and on
// unknown objects, or the scores of two files.
func OodEval() *cobra.Command {
	var o oodResults
	var asJSON bool
	command := &cobra.Command{
		Use:   "ood-eval --id FILE --ood FILE [--id-gt GT.json]",
		Short: "Outlier measures of any detector's results, or of two files of scores",
		Long: `Measures how well scores separate inliers from outliers; inliers are the
positives.

With --id-gt, the files are COCO results of any detector (detectron2, Ultralytics,
DETR) on a set of known objects, whose annotations --id-gt names, and on sets of
unknown ones: AP and the score threshold, and, for the detections that reach it,
every score with AUROC, AUPR and FPR95 and its 95 % interval, and the table "which
score". An entry may have "logits" (one for each class of --id-gt, and the
background's behind them if the detector has one) and "scores": {name: value},
higher for "more inlier"; "confidence" is its own probability. Such scores stay as
they are unless features are given to compute them from. --features names .npz files
with the features of the detections, the first one of --id, then one of each --ood;
--fit one of known objects of the training set, annotated or detected, with their
classes and the class layer W, b, which most scores are fitted on ("go doc
ffslab/ffs/features" has the layout; "ffs features" writes both for a run). --ood-gt,
one for each --ood, adds open-set measures; a set that holds objects of the classes of
--id-gt, by their names, is measured object by object.

Without --id-gt, each file holds scores, higher for "more inlier": one a line (after
a header, if there is one; # begins a comment), an array of NumPy (scores.npy,
scores.npz:energy) or a column of a table (scores.csv:energy).

FPR95 is the share of outliers that pass at the threshold whose recall is
nearest to 95 % (the convention of the published tables); the strict one is at
the highest threshold that at least 95 % of the inliers reach. The detection
error is the smallest mean of both error rates of all thresholds.`,
		Example: `  go run ./ffs ood-eval --id-gt val.json --id val_dt.json --ood unknown_dt.json
  go run ./ffs ood-eval --id-gt val.json --id val_dt.json --ood unknown_dt.json --features val.npz --features unknown.npz --fit train.npz --out tables
  go run ./ffs ood-eval --id energies_id.txt --ood energies_ood.txt
  go run ./ffs ood-eval --id id.csv:energy --ood ood.csv:energy --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.truth != "" {
				return o.run(command, asJSON)
			}
			if len(o.outliers) != 1 || len(o.outlierTruths)+len(o.features) > 0 || o.fit != "" {
				return errors.New("two files of scores are compared without --id-gt: give one --ood, and none of --ood-gt, --features, --fit; or give --id-gt for results files")
			}
			return compareScoreFiles(command.OutOrStdout(), o.inlier, o.outliers[0], asJSON)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.inlier, "id", "", "results or scores of inliers, for example val_dt.json or energies_id.txt (required)")
	flags.StringArrayVar(&o.outliers, "ood", nil, "results or scores of outliers; results may be repeated, and named: birds=unknown_dt.json (required)")
	flags.StringVar(&o.truth, "id-gt", "", "COCO annotations of the inlier set, for example val.json")
	flags.StringArrayVar(&o.outlierTruths, "ood-gt", nil, "COCO annotations of an outlier set, one for each --ood (unknown.json)")
	flags.StringArrayVar(&o.features, "features", nil, "features of the detections, .npz: of --id, then of each --ood")
	flags.StringVar(&o.fit, "fit", "", "features of known objects of the training set, .npz, to fit scores on")
	flags.StringSliceVar(&o.scores, "scores", []string{posthoc.All}, "post-hoc scores, for example energy,knn")
	flags.StringVar(&o.out, "out", "", "folder for metrics.json, metrics.md and tables; empty: none")
	flags.IntVar(&o.bootstrap.Resamples, "bootstrap", eval.DefaultResamples, "resamples for the 95 % intervals; 0: no intervals")
	flags.Uint64Var(&o.bootstrap.Seed, "bootstrap-seed", 0, "seed of the resamples")
	flags.BoolVar(&o.strict, "strict", false, "mend nothing: what is mended in the files otherwise, and told, is an error")
	flags.BoolVar(&asJSON, "json", false, "print JSON, fractions instead of percent")
	command.MarkFlagRequired("id")
	command.MarkFlagRequired("ood")
	return command
}

// compareScoreFiles measures two files of one score a line.
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
}
