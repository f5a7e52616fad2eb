package explore

// published holds the paper's numbers (tables 1 and 2, with VOS and STUD as reported there) in
// percent: means of the authors' runs.
var published = []paperRow{
	{"VOC", "COCO", "VOS", "paper", 47.77, 89.00, 51.5},
	{"VOC", "COCO", "FFS", "paper", 44.15, 89.71, 51.8},
	{"VOC", "OpenImages", "VOS", "paper", 48.33, 87.59, 51.5},
	{"VOC", "OpenImages", "FFS", "paper", 45.08, 88.29, 51.8},
	{"BDD100K", "nuImages", "STUD", "paper", 79.75, 76.55, 32.3},
	{"BDD100K", "nuImages", "FFS", "paper", 76.68, 77.53, 36.2},
	{"YouTube-VIS", "COCO", "STUD", "paper", 81.14, 74.82, 27.2},
	{"YouTube-VIS", "COCO", "FFS", "paper", 83.06, 76.37, 27.6},
}

// paperRow is a row of the paper's table of results, in percent.
type paperRow struct {
	inlier, outlier, method, source string
	fpr95, auroc, ap                float64
}
