package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ffslab/data"
	"ffslab/ffs/backbone"
	"ffslab/ffs/flow"
	"ffslab/ffs/outlier"
	"ffslab/ffs/roi"
	"ffslab/ffs/rpn"
)

// DefaultPreset is what "train" uses when nothing else is said: the embedded digits.
const DefaultPreset = "digits"

var presets = map[string]func() Config{
	"digits": digits, "aquarium": aquarium, "photos": photos, "voc": voc, "voc-resnet50": vocResNet50, "bdd100k": bdd100k, "youtube-vis": youtubeVIS,
}

// Preset returns the named preset; the error lists those that there are.
func Preset(name string) (Config, error) {
	preset, ok := presets[name]
	if !ok {
		return Config{}, fmt.Errorf("no preset is called %q; there are %s", name, strings.Join(PresetNames(), ", "))
	}
	return preset(), nil
}

// PresetNames returns the presets' names in alphabetical order.
func PresetNames() []string { return slices.Sorted(maps.Keys(presets)) }

// paper is what the original's three configurations share: RegNetX-4.0GF with frozen statistics,
// full heads, shortest edge 800.
func paper() Config {
	return Config{
		Model: Model{
			Backbone: backbone.Config{
				Family: "regnet", StemWidth: 32, Depth: 23, WA: 38.65, W0: 96, WM: 2.43, GroupWidth: 40,
				Norm: "frozen_bn", FreezeAt: 2,
			},
			FPNChannels: 256,
			RPN: rpn.Config{
				AnchorSizes: []float64{32, 64, 128, 256, 512}, AnchorRatios: []float64{0.5, 1, 2},
				BatchPerImage: 256, PositiveFraction: 0.5, PreNMSTrain: 2000, PreNMSTest: 1000, PostNMSTrain: 1000, PostNMSTest: 1000, NMS: 0.7,
			},
			ROI:     roi.Config{BatchPerImage: 512, PositiveFraction: 0.25, FCDim: 1024, ScoreThreshold: 0.05, NMS: 0.5, Detections: 100},
			Flow:    flow.Config{Blocks: 2, Hidden: 2048, Clamp: 2},
			Outlier: outlier.Config{Method: "flow", SampleFrom: 200, Select: 1, Queue: 300, MaxSteps: 10},
			Loss:    Loss{Energy: 0.1, NLL: 1e-4, NLLConstant: true},
		},
		Input: Input{
			MinSizeTrain: []int{800}, MaxSizeTrain: 1333, MinSizeTest: 800, MaxSizeTest: 1333,
			Canvases: [][2]int{{800, 1344}, {1344, 800}, {800, 800}, {1344, 1344}}, MaxBoxes: 100, Flip: true,
			PixelMean: []float64{103.53, 116.28, 123.675}, PixelStd: []float64{57.375, 57.12, 58.395},
		},
		Train: Train{Optimizer: "sgd", Momentum: 0.9, BaseLR: 0.02, FlowLRFactor: 1, Decay: "steps", CheckpointEvery: 1000, KeepCheckpoints: 3, Unknown: data.IgnoreUnknown},
		Data:  Data{OOD: []string{}},
	}
}

// classesOf returns the classes of one of package data's inlier sets.
func classesOf(set string) []string {
	classes, err := data.Classes(set)
	if err != nil {
		panic(err) // the presets name sets that there are
	}
	return classes
}

func voc() Config {
	c := paper()
	c.Model.Classes = classesOf("voc")
	c.Model.Outlier.StartIter = 12000
	c.Input.MinSizeTrain = []int{480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800}
	c.Train.ImagesPerStep, c.Train.WeightDecay = 16, 5e-5
	c.Train.Steps, c.Train.MaxIter, c.Train.WarmupIters = []int{12000, 16000}, 24000, 100
	c.Data = Data{Train: "voc_custom_train", Val: "voc_custom_val", OOD: []string{"coco_ood_val", "openimages_ood_val"}}
	return c
}

// vocResNet50 is VOS's other detector: ResNet-50 from MSRA's weights (detectron2's R-50.pkl), whose
// pixels are not divided by their deviation.
func vocResNet50() Config {
	c := voc()
	c.Model.Backbone = backbone.Config{Family: "resnet", StemWidth: 64, Depth: 50, StrideIn1x1: true, Norm: "frozen_bn", FreezeAt: 2}
	c.Input.PixelStd = []float64{1, 1, 1}
	c.Train.WeightDecay = 1e-4
	return c
}

func bdd100k() Config {
	c := paper()
	c.Model.Classes = classesOf("bdd100k")
	c.Model.Outlier.StartIter = 36000
	c.Train.ImagesPerStep, c.Train.WeightDecay = 4, 1e-4
	c.Train.Steps, c.Train.MaxIter, c.Train.WarmupIters = []int{36000, 48000}, 52500, 5000
	c.Data = Data{Train: "bdd_tracking_2k_train", Val: "bdd_tracking_2k_val", OOD: []string{"nu_bdd_ood", "coco_2017_val_ood_wrt_bdd"}}
	return c
}

func youtubeVIS() Config {
	c := paper()
	c.Model.Classes = classesOf("youtube-vis")
	c.Model.Outlier.StartIter = 30000
	c.Train.ImagesPerStep, c.Train.WeightDecay = 16, 5e-5
	c.Train.Steps, c.Train.MaxIter, c.Train.WarmupIters = []int{30000, 45000}, 60000, 1000
	c.Data = Data{Train: "vis21_train", Val: "vis21_val", OOD: []string{"vis_coco_ood"}}
	return c
}

// small is what the presets that train from scratch on two CPU cores share: a RegNet of widths 32,
// 64, 128 and 256, group norm, narrow pyramid and heads.
func small() Config {
	c := paper()
	c.Model.Backbone = backbone.Config{Family: "regnet", StemWidth: 16, Depth: 7, WA: 28, W0: 32, WM: 2, GroupWidth: 32, Norm: "group_norm"}
	// After 800 steps of the digits, AP50 is 58.3 with 48 channels without norm, and 63.4 with 32
	// channels and norm in the same time.
	c.Model.FPNChannels, c.Model.FPNNorm = 32, "group_norm"
	c.Model.RPN.BatchPerImage = 128
	c.Model.RPN.PreNMSTrain, c.Model.RPN.PostNMSTrain = 400, 300
	c.Model.RPN.PreNMSTest, c.Model.RPN.PostNMSTest = 300, 150
	c.Model.ROI.BatchPerImage, c.Model.ROI.FCDim = 64, 128
	c.Model.Flow.Hidden = 256
	// In the paper chance decides whether the energy's layer takes inliers for the side of high or
	// of low energy; both end in the same loss, but only the first gives outliers less energy than
	// inliers.
	c.Model.Loss.EnergyOrdered = true
	// From scratch, with group norm, SGD at the paper's rate needs about half as many steps again
	// for the same loss, and diverged at three times that rate. Of AdamW's rates 0.0008, 0.0015 and
	// 0.003 the middle one is the best on digits after 800 steps by 7 points of AP50 or more.
	c.Train.Optimizer, c.Train.BaseLR, c.Train.ClipNorm = "adamw", 0.0015, 5
	c.Train.WeightDecay, c.Train.WarmupIters, c.Train.Decay = 1e-4, 100, "cosine"
	// Twice the steps of half as many images learn more in the same time.
	c.Train.ImagesPerStep = 4
	return c
}

func digits() Config {
	c := small()
	c.Model.Classes = []string{"0", "1", "2", "3", "4", "5"}
	c.Model.RPN.AnchorSizes = []float64{16, 28, 48, 80, 128}
	c.Input.MinSizeTrain, c.Input.MaxSizeTrain, c.Input.MinSizeTest, c.Input.MaxSizeTest = []int{192}, 192, 192, 192
	c.Input.Canvases, c.Input.MaxBoxes, c.Input.Flip = [][2]int{{192, 192}}, 8, false
	c.Train.Steps, c.Train.MaxIter, c.Train.CheckpointEvery = []int{}, 3000, 250
	c.Model.Outlier.StartIter = 1500
	// No scene is seen twice, and each has enough objects to fill the foreground of its sample.
	c.Data = Data{Train: "digits2:train?n=12000&objects=4", Val: "digits2:val", OOD: []string{"digits2:ood-near", "digits2:ood-far"}}
	return c
}

func aquarium() Config {
	c := small()
	c.Model.Classes = []string{"fish", "jellyfish", "shark", "starfish", "stingray"}
	c.Model.RPN.AnchorSizes = []float64{12, 24, 48, 96, 192}
	c.Input.MinSizeTrain, c.Input.MaxSizeTrain, c.Input.MinSizeTest, c.Input.MaxSizeTest = []int{240}, 320, 240, 320
	c.Input.Canvases, c.Input.MaxBoxes = [][2]int{{256, 320}, {320, 256}, {320, 320}}, 100
	c.Train.Steps, c.Train.MaxIter, c.Train.CheckpointEvery = []int{}, 1600, 100
	c.Model.Outlier.StartIter = 800
	return c
}

// photos is for any photographs: it starts from ImageNet's weights, of which those up to stride 8
// stay as they are, and fits the rest to the training set (see [LoadFitted]); what is fitted has
// here the values for a set of 640x480 pixels and objects of all sizes.
func photos() Config {
	c := small()
	c.Model.Classes = []string{"object"}
	c.Model.Backbone = backbone.Config{Family: backbone.EfficientNetLite, Weights: backbone.ImageNet, Norm: backbone.FrozenBatchNorm, FreezeAt: 3}
	c.Model.FPNChannels = 64
	c.Model.RPN.AnchorSizes = []float64{12, 24, 48, 96, 192}
	c.Model.ROI.FCDim = 256
	c.Input.MinSizeTrain, c.Input.MaxSizeTrain, c.Input.MinSizeTest, c.Input.MaxSizeTest = []int{312}, 416, 312, 416
	c.Input.Canvases, c.Input.MaxBoxes = [][2]int{{320, 416}, {416, 320}}, 100
	c.Input.PixelMean, c.Input.PixelStd = []float64{127, 127, 127}, []float64{128, 128, 128}
	c.Train.BaseLR, c.Train.BackboneLRFactor = 0.001, 0.1
	c.Train.Steps, c.Train.MaxIter, c.Train.CheckpointEvery = []int{}, 1200, 100
	c.Model.Outlier.StartIter = 600
	c.Data.Fit = true
	return c
}
