package infer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/infer"
)

// Score samples of the flow, and list the scores by name.
func ExampleModel_ScoresByName() {
	m, _ := open("digits2:val?n=1")
	defer m.Close()
	fmt.Println("flow:", m.HasFlow(), "weighted energy:", m.HasEnergy())
	samples, _, err := m.Decode(m.Latents(3, 1, 0)) // 3 latents at temperature 1, seed 0
	if err != nil {
		log.Fatal(err)
	}
	scores, err := m.Score(samples)
	if err != nil {
		log.Fatal(err)
	}
	byName := m.ScoresByName(scores[0])
	fmt.Println(m.ScoreNames(), byName["nll"] == -scores[0].NLL)
	// Output:
	// flow: true weighted energy: true
	// [energy logistic nll weighted_energy] true
}

// The energy by hand, from the layers behind the box features: log sum exp of the logits of the
// known classes.
func ExampleModel_ClassLayer() {
	m, _ := open("digits2:val?n=1")
	defer m.Close()
	weights, biases, err := m.ClassLayer()
	if err != nil {
		log.Fatal(err)
	}
	features, _, err := m.Decode(m.Latents(1, 1, 0))
	if err != nil {
		log.Fatal(err)
	}
	scores, err := m.Score(features)
	if err != nil {
		log.Fatal(err)
	}
	var sum float64
	for k, w := range weights[:len(weights)-1] { // the last is the background
		logit := float64(biases[k])
		for j, x := range features[0] {
			logit += float64(w[j]) * float64(x)
		}
		sum += math.Exp(logit)
	}
	fmt.Println("the same energy:", math.Abs(math.Log(sum)-scores[0].Energy) < 1e-3)
	learned, err := m.EnergyLayer()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a weight for each class:", len(learned.Weights) == len(weights)-1)
	// Output:
	// the same energy: true
	// a weight for each class: true
}

// Whether earlier detections can be used: equal models have the same identity.
func ExampleModel_Identity() {
	first, _ := open("digits2:val?n=1")
	defer first.Close()
	second, _ := open("digits2:val?n=1")
	defer second.Close()
	identities := map[infer.Identity]bool{}
	for _, m := range []*infer.Model{first, second} {
		identity, err := m.Identity()
		if err != nil {
			log.Fatal(err)
		}
		identities[identity] = true
	}
	fmt.Println(len(identities), "identity of step", first.Step)
	// Output: 1 identity of step 3000
}

// A detector that has not been trained, such as one whose parameters your own loop changes.
func ExampleNew() {
	c, err := config.Preset("digits")
	if err != nil {
		log.Fatal(err)
	}
	backend, err := device.OpenForDetectors(device.FromEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	m, err := infer.New(backend, model.NewStore(), c, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	_, _, err = m.ClassLayer()
	fmt.Println("parameters before the first call:", err == nil)
	if _, err := m.Score(m.Latents(2, 1, 0)); err != nil {
		log.Fatal(err)
	}
	weights, _, err := m.ClassLayer()
	fmt.Println("afterwards:", len(weights) == len(c.Model.Classes)+1, err)
	// Output:
	// parameters before the first call: false
	// afterwards: true <nil>
}

// Give the methods your own features to estimate densities from, instead of those of the training
// set.
func ExampleModel_SetInliers() {
	m, _ := open("digits2:val?n=1")
	defer m.Close()
	var features [][]float32
	var classes []int
	for i, row := range m.Latents(300, 1, 0) { // any rows of the features' length
		features, classes = append(features, row), append(classes, i%len(m.Config.Model.Classes))
	}
	if err := m.SetInliers(features[:1], classes[:1]); err != nil {
		log.Fatal(err)
	}
	_, err := draw(m)
	fmt.Println("too few:", errors.Is(err, infer.ErrNotReady))
	if err := m.SetInliers(features, classes); err != nil {
		log.Fatal(err)
	}
	drawn, err := draw(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(drawn.Features), "features by", drawn.Method, "with its own density:", drawn.OwnDensity)
	// Output:
	// too few: true
	// 60 features by gaussian with its own density: true
}

// draw draws from VOS's Gaussians at temperature 1 with seed 0.
func draw(m *infer.Model) (*infer.Synthesis, error) {
	return m.Draw(context.Background(), "gaussian", 60, 1, 0)
}
