package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"
	"path"
	"slices"
	"strings"
)

// decodeZip reads torch's container since 1.6: a zip file with the object in data.pkl, and each
// storage in data/KEY.
func decodeZip(data []byte) (any, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("truncated or damaged zip file: %w", err)
	}
	entries := map[string]*zip.File{}
	var main *zip.File
	for _, e := range archive.File {
		if entries[e.Name] != nil {
			return nil, fmt.Errorf("two entries %q", printable(e.Name))
		}
		entries[e.Name] = e
		if path.Base(e.Name) == "data.pkl" {
			if main != nil {
				return nil, fmt.Errorf("two entries data.pkl: not a file that torch.save wrote")
			}
			main = e
		}
	}
	if main == nil {
		return nil, fmt.Errorf("a zip file without data.pkl: not one that torch.save wrote")
	}
	folder := strings.TrimSuffix(main.Name, "data.pkl") // named after the file that was saved
	if entries[folder+"constants.pkl"] != nil {
		return nil, fmt.Errorf("a TorchScript program, not a checkpoint: save the state_dict() of its model with torch.save")
	}
	if order := entries[folder+"byteorder"]; order != nil {
		b, err := contents(data, order)
		if err != nil {
			return nil, err
		}
		if string(b) != "little" {
			return nil, fmt.Errorf("byte order %q is not supported: save on a little-endian machine", printable(string(b)))
		}
	}
	program, err := contents(data, main)
	if err != nil {
		return nil, err
	}
	refs := storages{}
	object, _, err := unpickle(program, refs.persistent)
	if err != nil {
		return nil, err
	}
	for key, s := range refs {
		entry := entries[folder+"data/"+key]
		if entry == nil {
			return nil, fmt.Errorf("storage %q is missing: the file is incomplete", printable(key))
		}
		elements, err := contents(data, entry)
		if err == nil {
			err = s.fill(elements)
		}
		if err != nil {
			return nil, fmt.Errorf("storage %q: %w", printable(key), err)
		}
	}
	return object, nil
}

// contents returns an entry's bytes, which are a part of the file: torch stores them as they are. A
// compressed entry is refused, so no few bytes can unfold into many.
func contents(data []byte, entry *zip.File) ([]byte, error) {
	name := printable(entry.Name)
	if entry.Method != zip.Store || entry.CompressedSize64 != entry.UncompressedSize64 {
		return nil, fmt.Errorf("entry %s is compressed, as torch.save never does: save the file again with torch.save", name)
	}
	start, err := entry.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", name, err)
	}
	if start < 0 || start > int64(len(data)) || entry.UncompressedSize64 > uint64(int64(len(data))-start) {
		return nil, fmt.Errorf("entry %s reaches beyond the end of the file", name)
	}
	elements := data[start : start+int64(entry.UncompressedSize64)]
	if crc32.ChecksumIEEE(elements) != entry.CRC32 {
		return nil, fmt.Errorf("entry %s is damaged: its checksum is wrong", name)
	}
	return elements, nil
}

// legacyMagic and legacyProtocol open torch's container before 1.6.
var legacyMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

const legacyProtocol = 1001

func isLegacyMagic(v any) bool {
	n, ok := v.(*big.Int)
	return ok && n.Cmp(legacyMagic) == 0
}

// decodeLegacy reads what follows the magic number in torch's container before 1.6: the pickles of
// the protocol's version, the writer's machine, the object and the storages' keys; then each
// storage, as its number of elements in 8 bytes and the elements.
func decodeLegacy(data []byte) (any, error) {
	version, data, err := unpickle(data, nil)
	if err != nil {
		return nil, err
	}
	if version != any(int64(legacyProtocol)) {
		return nil, fmt.Errorf("a torch file of an unknown legacy version")
	}
	system, data, err := unpickle(data, nil)
	if err != nil {
		return nil, err
	}
	if info, ok := system.(*dict); ok {
		if little, _ := info.get("little_endian"); little != any(true) {
			return nil, fmt.Errorf("big-endian files are not supported: save on a little-endian machine")
		}
	}
	refs := storages{}
	object, data, err := unpickle(data, refs.persistent)
	if err != nil {
		return nil, err
	}
	keys, data, err := unpickle(data, nil)
	if err != nil {
		return nil, err
	}
	order, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("the list of storages is missing")
	}
	for _, k := range order.items {
		key, _ := k.(string)
		s := refs[key]
		if s == nil || s.data != nil {
			return nil, fmt.Errorf("storage %q is listed twice, or used by no tensor", printable(key))
		}
		if data, err = s.fillLegacy(data); err != nil {
			return nil, fmt.Errorf("storage %q: %w", printable(key), err)
		}
	}
	for key, s := range refs {
		if s.data == nil {
			return nil, fmt.Errorf("storage %q is missing: the file is incomplete", printable(key))
		}
	}
	return object, nil
}

// fillLegacy takes the storage's elements from the head of data and returns the rest.
func (s *storage) fillLegacy(data []byte) (rest []byte, err error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("truncated: the file is incomplete")
	}
	count, data := binary.LittleEndian.Uint64(data), data[8:]
	size := uint64(s.dtype.Size())
	if count != uint64(s.count) {
		return nil, fmt.Errorf("has %d elements, want %d", count, s.count)
	}
	if count > uint64(len(data))/size {
		return nil, fmt.Errorf("truncated: %d bytes wanted, %d left", count*size, len(data))
	}
	return data[count*size:], s.fill(slices.Clip(data[:count*size]))
}
