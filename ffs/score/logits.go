package score

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Energy is the negative free energy of the inlier logits l (Liu et al., Energy-based
// Out-of-distribution Detection, NeurIPS 2020):
//
//	T log sum_k exp(l_k / T)
//
// FFS and VOS use T = 1.
type Energy struct {
	T float64 // above 0; 0 means 1
	head
}

// Name is "energy".
func (*Energy) Name() string { return "energy" }

// Score needs logits, or features and the class layer.
func (s *Energy) Score(rows Features) ([]float64, error) {
	t := cmp.Or(s.T, 1)
	return s.eachLogits(s.Name(), rows, func(l []float64) float64 { return energy(l, t) })
}

// energy returns T log sum_k exp(l_k / T).
func energy(logits []float64, t float64) float64 {
	scaled := make([]float64, len(logits))
	return t * floats.LogSumExp(floats.ScaleTo(scaled, 1/t, logits))
}

// MSP is the largest softmax probability of the inlier logits, max_k p_k with p = softmax(l)
// (Hendrycks and Gimpel, A Baseline for Detecting Misclassified and Out-of-Distribution Examples in
// Neural Networks, ICLR 2017). With one class it is always 1.
type MSP struct{ head }

// Name is "msp".
func (*MSP) Name() string { return "msp" }

// Score needs logits, or features and the class layer.
func (s *MSP) Score(rows Features) ([]float64, error) {
	return s.eachLogits(s.Name(), rows, func(l []float64) float64 { return floats.Max(softmax(l, 1)) })
}

// softmax returns the probabilities of the logits at temperature t.
func softmax(logits []float64, t float64) []float64 {
	p := make([]float64, len(logits))
	largest := floats.Max(logits)
	for k, l := range logits {
		p[k] = math.Exp((l - largest) / t)
	}
	floats.Scale(1/floats.Sum(p), p)
	return p
}

// MaxLogit is the largest inlier logit (Hendrycks et al., Scaling Out-of-Distribution Detection for
// Real-World Settings, ICML 2022).
type MaxLogit struct{ head }

// Name is "max_logit".
func (*MaxLogit) Name() string { return "max_logit" }

// Score needs logits, or features and the class layer.
func (s *MaxLogit) Score(rows Features) ([]float64, error) {
	return s.eachLogits(s.Name(), rows, floats.Max)
}

// leastProbability is the value to which pytorch-ood raises probabilities before it takes
// logarithms and powers of them.
const leastProbability = 1e-7

// Entropy is the negative entropy of the softmax over the inlier logits (Chan et al., Entropy
// Maximization and Meta Classification for Out-of-Distribution Detection in Semantic Segmentation,
// ICCV 2021):
//
//	sum_k p_k log p_k,  p = max(softmax(l), 1e-7)
type Entropy struct{ head }

// Name is "entropy".
func (*Entropy) Name() string { return "entropy" }

// Score needs logits, or features and the class layer.
func (s *Entropy) Score(rows Features) ([]float64, error) {
	return s.eachLogits(s.Name(), rows, func(l []float64) float64 {
		sum := 0.0
		for _, p := range softmax(l, 1) {
			p = max(p, leastProbability)
			sum += p * math.Log(p)
		}
		return sum
	})
}

// GEN is the negative generalised entropy of the Top largest softmax probabilities p over the
// inlier logits (Liu et al., GEN: Pushing the Limits of Softmax-Based Out-of-Distribution
// Detection, CVPR 2023):
//
//	-mean_k (p_k (1 - p_k))^Gamma,  1e-7 <= p_k <= 1 - 1e-7
//
// The paper takes the sum, which ranks the same.
type GEN struct {
	Gamma float64 // 0 means the paper's 0.1
	Top   int     // 0 means the paper's 100; at most the number of classes
	head
}

// Name is "gen".
func (*GEN) Name() string { return "gen" }

// Score needs logits, or features and the class layer.
func (s *GEN) Score(rows Features) ([]float64, error) {
	gamma, top := cmp.Or(s.Gamma, 0.1), cmp.Or(s.Top, 100)
	return s.eachLogits(s.Name(), rows, func(l []float64) float64 {
		p := softmax(l, 1)
		slices.SortFunc(p, func(a, b float64) int { return cmp.Compare(b, a) })
		p = p[:min(top, len(p))]
		sum := 0.0
		for _, v := range p {
			v = min(max(v, leastProbability), 1-leastProbability)
			sum -= math.Pow(v, gamma) * math.Pow(1-v, gamma)
		}
		return sum / float64(len(p))
	})
}
