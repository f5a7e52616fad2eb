package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"ffslab/data/cachedir"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
)

// pictureHeader is what is known about a picture file. It is remembered as long as size and time of
// the file stay the same.
type pictureHeader struct {
	Bytes    int64
	Modified int64 // nanoseconds

	Height, Width int    // of the upright picture; 0 if unreadable
	Fault         string // why it cannot be read
	Decoded       bool   // all of it was decoded, not only the header
	Damaged       bool   // parts of it are lost
}

// remembered is the smallest number of pictures whose headers are remembered; fewer are read
// quickly.
const remembered = 500

// look reads the headers of the files of the images, or if opt.Check all of the files,
// concurrently.
func (o *opening) look() {
	var files []string
	for i := range o.dataset.Images {
		if im := &o.dataset.Images[i]; im.File != "" && im.Render == nil {
			if _, known := o.headers[im.File]; !known {
				o.headers[im.File] = pictureHeader{}
				files = append(files, im.File)
			}
		}
	}
	memory := headerMemory{}
	if len(files) >= remembered {
		memory = recallHeaders(o.dataset.ImagesDir)
	}
	headers := make([]pictureHeader, len(files))
	var mu sync.Mutex
	done, fresh := 0, false
	var workers errgroup.Group
	workers.SetLimit(2 * runtime.GOMAXPROCS(0)) // more than cores, since they wait for the disk
	for i, file := range files {
		workers.Go(func() error {
			header, again := memory.look(file, o.opt.Check)
			mu.Lock()
			defer mu.Unlock()
			headers[i], fresh = header, fresh || !again
			if done++; o.opt.Progress != nil && (done%256 == 0 || done == len(files)) {
				o.opt.Progress(done, len(files))
			}
			return nil
		})
	}
	_ = workers.Wait() // headers has the faults
	for i, file := range files {
		o.headers[file] = headers[i]
	}
	if len(files) >= remembered && fresh {
		memory.keep(o.dataset.ImagesDir, o.headers)
	}
}

// headerMemory holds the headers that earlier processes have read, by file.
type headerMemory map[string]pictureHeader

// look returns the header of a file; remembered reports whether the file was not read.
func (m headerMemory) look(file string, check bool) (header pictureHeader, remembered bool) {
	info, err := os.Stat(file)
	if err != nil {
		return pictureHeader{Fault: err.Error()}, false
	}
	if h, ok := m[file]; ok && h.Bytes == info.Size() && h.Modified == info.ModTime().UnixNano() && (h.Decoded || !check) {
		return h, true
	}
	header = lookAt(file, info.Size(), check)
	header.Bytes, header.Modified = info.Size(), info.ModTime().UnixNano()
	return header, false
}

// lookAt reads the header of a picture. It decodes the whole picture if check, or if the file does
// not end as its format requires.
func lookAt(file string, size int64, check bool) (h pictureHeader) {
	fault := func(err error) pictureHeader { return pictureHeader{Fault: bare(file, err)} }
	f, err := os.Open(file)
	if err != nil {
		return fault(err)
	}
	defer f.Close()
	header, err := readHeader(f)
	if err != nil {
		return fault(err)
	}
	h.Height, h.Width = header.upright()
	if !check && ended(f, size, header.format) {
		return h
	}
	_, damaged, err := readPicture(file)
	if err != nil {
		return fault(err)
	}
	h.Decoded, h.Damaged = true, damaged
	return h
}

// bare returns the message of an error without the leading name of the file.
func bare(file string, err error) string { return strings.TrimPrefix(err.Error(), file+": ") }

// ended reports whether the end of a picture file is as its format requires.
func ended(f io.ReaderAt, size int64, format string) bool {
	tail := make([]byte, min(size, 4096)) // some programs append bytes
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return false
	}
	switch format {
	case "jpeg":
		return bytes.Contains(tail, []byte("\xff\xd9"))
	case "png":
		return bytes.Contains(tail, []byte("IEND"))
	case "gif":
		return bytes.IndexByte(tail, ';') >= 0
	case "webp":
		return declared(f, 4)+8 <= size
	case "bmp":
		return declared(f, 2) <= size
	}
	return true
}

// declared returns the little-endian file size in 4 bytes of a header.
func declared(f io.ReaderAt, at int64) int64 {
	var b [4]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return 1 << 62
	}
	return int64(binary.LittleEndian.Uint32(b[:]))
}

// headerFile returns the file in which the headers of a folder's pictures are remembered. It may be
// deleted at any time.
func headerFile(imagesDir string) (string, error) {
	absolute, err := filepath.Abs(imagesDir)
	if err != nil {
		return "", err
	}
	name := sha256.Sum256([]byte(absolute))
	return cachedir.Path("pictures", hex.EncodeToString(name[:12])+".gob")
}

// headerFormat identifies the rules by which headers were read. Headers of other versions do not
// count.
const headerFormat = 1

type keptHeaders struct {
	Format int
	Files  map[string]pictureHeader // by path under the folder
}

// recallHeaders returns the remembered headers of a folder's pictures, none if they cannot be read.
func recallHeaders(imagesDir string) headerMemory {
	memory := headerMemory{}
	path, err := headerFile(imagesDir)
	if err != nil {
		return memory
	}
	f, err := os.Open(path)
	if err != nil {
		return memory
	}
	defer f.Close()
	var kept keptHeaders
	if gob.NewDecoder(f).Decode(&kept) != nil || kept.Format != headerFormat {
		return memory
	}
	for name, header := range kept.Files {
		memory[filepath.Join(imagesDir, name)] = header
	}
	return memory
}

// keep remembers headers, in addition to those of the folder's other pictures. It ignores errors:
// the headers can be read again.
func (m headerMemory) keep(imagesDir string, headers map[string]pictureHeader) {
	kept := keptHeaders{headerFormat, map[string]pictureHeader{}}
	for _, seen := range []map[string]pictureHeader{m, headers} {
		for file, header := range seen {
			if name, err := filepath.Rel(imagesDir, file); err == nil && header.Bytes > 0 {
				kept.Files[name] = header
			}
		}
	}
	path, err := headerFile(imagesDir)
	if err != nil || os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	var content bytes.Buffer
	if gob.NewEncoder(&content).Encode(kept) == nil {
		_ = renameio.WriteFile(path, content.Bytes(), 0o644)
	}
}

// BadImage is an image that cannot be used.
type BadImage struct {
	ID   ID     `json:"id"`
	File string `json:"file"` // path of its picture, or its record if there is none
	Why  string `json:"why"`
}

func (b BadImage) String() string { return b.File + ": " + b.Why }
