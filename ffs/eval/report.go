package eval

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"ffslab/data/wholefile"
	"ffslab/ffs/internal/jsonfile"
)

// Report is the result of [Evaluate] and the content of metrics.json. All numbers are fractions,
// not percent.
type Report struct {
	// Subject says what was measured; nil if unknown.
	Subject *Subject `json:"subject,omitempty"`
	// Corruption was applied to the images of all sets, such as "fog-3"; empty means none.
	Corruption string `json:"corruption,omitempty"`
	MAP        Stats  `json:"map"` // of the inlier set
	// VOC is PASCAL VOC's average precision on the inlier set.
	VOC *VOC `json:"voc,omitempty"`
	// ScoreThreshold maximises F1 on the inlier set; nil if no class has one. It is not rounded;
	// the filters round it to 4 digits.
	ScoreThreshold *float64 `json:"score_threshold"`
	// WithoutObjects names the classes without an object on the inlier set. Each counts as -1 in
	// the mean that ScoreThreshold is, as in the original code, unless EmptySkipped.
	WithoutObjects []string `json:"classes_without_objects,omitempty"`
	EmptySkipped   bool     `json:"empty_classes_skipped,omitempty"`
	// Temperature is that of the outlier scores (see [AtTemperature]), by default 1.
	Temperature float64 `json:"temperature"`
	// UnknownThresholds holds, for each outlier score, the highest threshold that at least 95 % of
	// the inlier set's detections reach, of those kept by the original's filter. A detection below
	// it is called unknown. It needs no outlier set and is empty if nothing was kept.
	UnknownThresholds map[string]float64 `json:"unknown_thresholds"`
	// Bootstrap says how the intervals were estimated; nil if there are none.
	Bootstrap *Bootstrap `json:"bootstrap,omitempty"`
	// MAPIntervals are the intervals of MAP.
	MAPIntervals *StatsIntervals `json:"map_ci95,omitempty"`
	// Outliers holds the outcome on every outlier set by name, with the original's filter
	// [ByProposal].
	Outliers map[string]*Outcome `json:"ood"`
	// ByOwnScore holds the same with the filter [ByOwnScore].
	ByOwnScore map[string]*Outcome `json:"by_own_score"`
	// Confusion says what the objects of every outlier set are taken for, with the filter
	// [ByOwnScore].
	Confusion map[string]*Confusion `json:"confusion"`
	// PerClass and PerSize break MAP down; classes are sorted by id.
	PerClass []ClassReport `json:"per_class"`
	PerSize  []SizeStats   `json:"per_size"`
	// Recommended is the outlier score that this evaluation favours (see [Report.Recommend]); empty
	// without outlier sets.
	Recommended string `json:"recommended_score,omitempty"`
	// NotMeasured says why requested scores do not apply, and why a score that some detections have
	// was not measured on every outlier set.
	NotMeasured map[string]string `json:"scores_not_measured,omitempty"`
	// FittedOn says what post-hoc scores were fitted on.
	FittedOn string `json:"scores_fitted_on,omitempty"`
	// FittedOnDetections says that they were the model's detections, not annotated objects.
	FittedOnDetections bool `json:"scores_fitted_on_detections,omitempty"`
	// Synthetic is the AUROC of each score between the inlier set's detections that count and the
	// synthetic outliers of the run's own method.
	Synthetic map[string]float64 `json:"synthetic_auroc,omitempty"`
	// Calibration covers all detections on the inlier set; nil if there are none, or if their scores
	// are no probabilities, as NotCalibrated then says.
	Calibration   *Calibration `json:"calibration,omitempty"`
	NotCalibrated string       `json:"calibration_not_measured,omitempty"`
}

// ClassReport holds the numbers of one class.
type ClassReport struct {
	Category
	ClassStats
}

// Outcome compares the detections on an outlier set with those on the inlier set.
type Outcome struct {
	Protocol Protocol              `json:"protocol"`
	Inliers  int                   `json:"n_id"`  // kept detections on the inlier set, or on known objects
	Outliers int                   `json:"n_ood"` // kept detections on the outlier set, or on unknown objects
	Scores   map[string]Separation `json:"scores"`
	OpenSet  *OpenSet              `json:"open_set,omitempty"`
	// Objects counts the objects of a set that is measured object by object.
	Objects *Objects `json:"objects,omitempty"`
	// AgainstEnergy compares the AUROC of each score with that of the energy by the paired
	// bootstrap; nil without one, or with the filter [ByOwnScore].
	AgainstEnergy map[string]Difference `json:"against_energy,omitempty"`
	// Groups holds the same for groups of the set's images ([Results.Groups]), by name.
	Groups map[string]*Outcome `json:"groups,omitempty"`
}

// Protocol says which detections an outcome compares.
type Protocol string

const (
	// ByImages compares all detections on the inlier set with all on the outlier set, whatever they
	// lie on. This is the original's protocol.
	ByImages Protocol = "images"
	// ByObjects compares detections on known and on unknown objects of the same
	// images ([ByObject]).
	ByObjects Protocol = "objects"
)

// WriteJSON writes the report as indented JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	return jsonfile.Print(w, r)
}

// Save writes the report to a file, whole or not at all.
func (r *Report) Save(path string) error {
	return wholefile.Write(path, 0o644, r.WriteJSON)
}

// SaveMarkdown writes the tables of the report to a file, whole or not at all.
func (r *Report) SaveMarkdown(path string) error {
	return wholefile.Write(path, 0o644, r.WriteMarkdown)
}

// ReadReport reads a file that [Report.Save] wrote.
func ReadReport(path string) (*Report, error) {
	r := new(Report)
	err := jsonfile.Read(path, r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the file is damaged: evaluate again", err)
	}
	return r, nil
}
