package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ffslab/data/wholefile"
)

// WriteSafeTensors writes the tensors, in their order, with the metadata (may be nil) and a
// checksum of both to a safetensors file at path. The file is written beside it, flushed and
// renamed: after a crash or on a full disk, path holds either the whole file or what it held
// before.
func WriteSafeTensors(path string, tensors []Tensor, metadata map[string]string) error {
	sealed := map[string]string{checksumKey: checksum(tensors, metadata)}
	maps.Copy(sealed, metadata)
	header, err := safeHeader(tensors, sealed)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err = wholefile.Write(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(header)
		for _, t := range tensors {
			if err == nil {
				_, err = w.Write(t.Bytes())
			}
		}
		return err
	})
	if err == nil {
		sweep(path)
	}
	return err
}

// abandoned is the age at which a temporary file is taken for one of a process that was killed: a
// writer's grows all the time.
const abandoned = time.Minute

// sweep removes what killed processes were about to rename to path. What cannot be removed does no
// harm.
func sweep(path string) {
	prefix := "." + filepath.Base(path)
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		digits, mine := strings.CutPrefix(e.Name(), prefix)
		info, err := e.Info()
		if mine && err == nil && digits != "" && strings.Trim(digits, "0123456789") == "" && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// safeHeader is the file up to the data: the header's length and the header, in the tensors' order,
// padded to a multiple of 8 bytes so that the data is aligned.
func safeHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	var parts []string
	add := func(key string, value any) error {
		k, err1 := json.Marshal(key)
		v, err2 := json.Marshal(value)
		parts = append(parts, string(k)+":"+string(v))
		return errors.Join(err1, err2)
	}
	if err := add(metadataKey, metadata); err != nil {
		return nil, err
	}
	seen, end := map[string]bool{metadataKey: true}, 0
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("two tensors, or a tensor and the metadata, are named %q", t.Name)
		}
		seen[t.Name] = true
		kind := ""
		for name, dtype := range safeTypes {
			if dtype == t.DType {
				kind = name
			}
		}
		if kind == "" {
			return nil, fmt.Errorf("tensor %q: safetensors cannot hold %s", t.Name, t.DType)
		}
		start := end
		end += t.Size() * t.DType.Size()
		entry := safeEntry{DType: kind, Shape: append([]int{}, t.Shape...), Offsets: [2]int{start, end}}
		if err := add(t.Name, entry); err != nil {
			return nil, err
		}
	}
	header := "{" + strings.Join(parts, ",") + "}"
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), nil
}
