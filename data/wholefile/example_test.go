package wholefile_test

import (
	"errors"
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

// A symbolic link stays.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	target, link := filepath.Join(dir, "target.txt"), filepath.Join(dir, "link.txt")
	if err := errors.Join(os.WriteFile(target, []byte("old"), 0o644), os.Symlink(target, link)); err != nil {
		fmt.Println(err)
		return
	}
	hello := func(w io.Writer) error {
		_, err := io.WriteString(w, "hello")
		return err
	}
	err = wholefile.Write(link, 0o644, hello)
	content, _ := os.ReadFile(target)
	kind, _ := os.Lstat(link)
	fmt.Println(err, string(content), kind.Mode().Type())
	// Output: <nil> hello L---------
}
