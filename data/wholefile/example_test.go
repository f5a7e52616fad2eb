package wholefile_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ffslab/data/wholefile"
)

// A file is written whole, and known by its content from then on.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "abc.txt")
	err = wholefile.Write(path, 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "abc")
		return err
	})
	fmt.Println(err)
	fmt.Println(wholefile.Digest(path)) // the test vector of FIPS 180-2
	// Output:
	// <nil>
	// ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad <nil>
}
