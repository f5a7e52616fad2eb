package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/renameio/v2"
)

// pictureHeader is what is known of a picture file, and remembered for as long as its size and time stay the same.
type pictureHeader struct {
	Bytes    int64
	Modified int64 // nanoseconds

	Height, Width int    // of the upright picture; 0 if it cannot be read
	Fault         string // why it cannot be read
	Decoded       bool   // all of it was decoded, not the header alone
	Damaged       bool   // it is read with a loss
}

// remembered is the fewest pictures for which what was seen is kept: fewer are looked at in no time.
const remembered = 500

// look reads the headers of the images' files, or all of them if opt.Check, in parallel.
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
	var next, done, fresh atomic.Int64
	var wg sync.WaitGroup
	var telling sync.Mutex
	for range 2 * runtime.GOMAXPROCS(0) { // more than cores: they wait for the disk
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(files)); i = next.Add(1) - 1 {
				var again bool
				headers[i], again = memory.look(files[i], o.opt.Check)
				if !again {
					fresh.Add(1)
				}
				if n := done.Add(1); o.opt.Progress != nil && (n%256 == 0 || n == int64(len(files))) {
					telling.Lock()
					o.opt.Progress(int(done.Load()), len(files))
					telling.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for i, file := range files {
		o.headers[file] = headers[i]
	}
	if len(files) >= remembered && fresh.Load() > 0 {
		memory.keep(o.dataset.ImagesDir, o.headers)
	}
}

// headerMemory is what earlier processes have seen, by file.
type headerMemory map[string]pictureHeader

// look returns a file's header; remembered is true if the file was not opened for that.
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

// lookAt reads a picture's header. All of the picture is decoded if check, or if the file lacks what its format ends with.
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

// bare returns an error's message without the file's name before it.
func bare(file string, err error) string { return strings.TrimPrefix(err.Error(), file+": ") }

// ended tells whether the end of a picture's file looks as it should.
func ended(f io.ReaderAt, size int64, format string) bool {
	tail := make([]byte, min(size, 4096)) // some programs add bytes of their own
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

// declared returns the file size that 4 bytes of a header, least first, tell.
func declared(f io.ReaderAt, at int64) int64 {
	var b [4]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return 1 << 62
	}
	return int64(binary.LittleEndian.Uint32(b[:]))
}

// headerFile is where the headers of a folder's pictures are remembered: under $FFSLAB_CACHE, else in the user's cache folder. It may be deleted at any time.
func headerFile(imagesDir string) (string, error) {
	root := os.Getenv("FFSLAB_CACHE")
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		root = filepath.Join(user, "ffslab")
	}
	absolute, err := filepath.Abs(imagesDir)
	if err != nil {
		return "", err
	}
	name := sha256.Sum256([]byte(absolute))
	return filepath.Join(root, "pictures", hex.EncodeToString(name[:12])+".gob"), nil
}

// headerFormat is part of what is kept: what another version of the program has seen, by other rules, does not count.
const headerFormat = 1

type keptHeaders struct {
	Format int
	Files  map[string]pictureHeader // by path under the folder
}

// recallHeaders returns what is remembered of a folder's pictures: nothing if that cannot be read.
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

// keep remembers headers, beside those of the folder's other pictures. Errors are ignored: they will be read again.
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
	File string `json:"file"` // the path of its picture, or what its record calls it if there is none
	Why  string `json:"why"`
}

func (b BadImage) String() string { return b.File + ": " + b.Why }
