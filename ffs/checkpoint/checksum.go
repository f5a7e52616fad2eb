package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// checksumKey is the entry of a safetensors file's metadata that holds the checksum of everything
// else in the file.
const checksumKey = "ffslab.checksum"

// checksum is the SHA-256, in hexadecimal digits, of the tensors' digest and of the metadata, whose
// entry for a checksum does not count.
func checksum(tensors []Tensor, metadata map[string]string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q", Digest(tensors))
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if key != checksumKey {
			fmt.Fprintf(sum, "%q%q", key, metadata[key])
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

var errChecksum = errors.New("damaged: its content does not agree with the checksum in its metadata: use another copy")

// verify compares a safetensors file with the checksum that it carries, if it does.
func (f *File) verify() error {
	want, ok := f.Values[checksumKey].(string)
	if !ok {
		return nil
	}
	metadata := map[string]string{}
	for key, value := range f.Values {
		metadata[key], _ = value.(string) // a safetensors file has no others
	}
	if checksum(f.Tensors, metadata) != want {
		return errChecksum
	}
	delete(f.Values, checksumKey)
	f.Checksum = want
	return nil
}
