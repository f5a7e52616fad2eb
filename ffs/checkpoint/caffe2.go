package checkpoint

import "regexp"

// caffe2Blob is a blob of a ResNet as Caffe2 names it: the stem's kernel ("conv1_w"), the stem's
// normalisation ("res_conv1_bn_s"), or a part of a block ("res4_2_branch2b_bn_riv": of the block 2
// of res4, the second convolution's running variance).
var caffe2Blob = regexp.MustCompile(`^(?:(conv1)_(w)|res_(conv1)_bn_(s|b|rm|riv)|(res[2-5])_(\d+)_(branch1|branch2[abc])_(?:(w)|bn_(s|b|rm|riv)))$`)

var (
	caffe2Convolutions = map[string]string{"branch1": "shortcut", "branch2a": "conv1", "branch2b": "conv2", "branch2c": "conv3"}
	caffe2Parameters   = map[string]string{
		"w": "weight", "s": "norm.weight", "b": "norm.bias", "rm": "norm.running_mean", "riv": "norm.running_var",
	}
)

// fromCaffe2 returns detectron2's name of a ResNet's blob, without the detector's prefix, or the
// blob's own name if it is none: of such files detectron2 wants the backbone (R-50.pkl), whose
// classifier fits nothing.
func fromCaffe2(blob string) string {
	m := caffe2Blob.FindStringSubmatch(blob)
	switch {
	case m == nil:
		return blob
	case m[1] != "":
		return "stem.conv1." + caffe2Parameters[m[2]]
	case m[3] != "":
		return "stem.conv1." + caffe2Parameters[m[4]]
	}
	return m[5] + "." + m[6] + "." + caffe2Convolutions[m[7]] + "." + caffe2Parameters[m[8]+m[9]]
}
