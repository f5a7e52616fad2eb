package checkpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"
)

// Digest identifies the tensors: the SHA-256, in hexadecimal digits, of their names, types, shapes
// and elements, in the order of their names. Equal digests are equal tensors.
func Digest(tensors []Tensor) string {
	ordered := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	sum := sha256.New()
	text := func(s string) { // with its length in front, so that no two lists of tensors are the same bytes
		sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		sum.Write([]byte(s))
	}
	for _, t := range ordered {
		text(t.Name)
		text(t.DType.String())
		sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(t.Shape))))
		for _, d := range t.Shape {
			sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(d)))
		}
		sum.Write(t.Bytes())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Weights are those of the tensors, named by their paths in a store, that are the model's. The
// optimizer's state and the random state are not.
func Weights(tensors []Tensor) []Tensor {
	return slices.DeleteFunc(slices.Clone(tensors), func(t Tensor) bool { return !inModel(nameOf(t.Name)) })
}

// DigestStore is the Digest of the model's weights in the store, by which evaluations know them.
func DigestStore(store *model.Store) (string, error) {
	all, err := FromVariables(store)
	if err != nil {
		return "", err
	}
	return Digest(Weights(all)), nil
}

// FromVariables copies every variable of the store, in the order of their paths, which are the
// names, and in our layout.
func FromVariables(store *model.Store) ([]Tensor, error) {
	var all []Tensor
	for v := range store.IterVariables() {
		t, err := copyVariable(v)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
