package device

import (
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"

	"ffslab/data/wholefile"
	"ffslab/ffs/internal/cache"
)

// ErrDamaged is wrapped by the error for a plugin whose file is not what was installed. It is found
// before the plugin is loaded: the missing part of a truncated library ends the process at the
// first access (SIGBUS), and a changed library can compute anything.
var ErrDamaged = errors.New("damaged")

// intact returns an error that wraps ErrDamaged if the checksum of the pinned plugin is wrong, or
// if another plugin's file is shorter than its headers say.
func intact(plugin string) error {
	if isPinned(plugin) {
		return pinnedLibrary.check(plugin)
	}
	file, err := os.Open(plugin)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := io.ReadFull(file, magic); err != nil || string(magic) != elf.ELFMAG {
		return nil // not a library of Linux: left to the loader
	}
	library, err := elf.NewFile(file)
	if err != nil {
		return fmt.Errorf("%s is %w: %w: install it again", plugin, ErrDamaged, err)
	}
	for _, segment := range library.Progs {
		if end := segment.Off + segment.Filesz; segment.Type == elf.PT_LOAD && end > uint64(info.Size()) {
			return fmt.Errorf("%s is %w: it ends at byte %d of %d: install it again", plugin, ErrDamaged, info.Size(), end)
		}
	}
	return nil
}

// content identifies the content of a file.
type content struct {
	size   int64 // bytes
	sha256 string
}

// pinnedLibrary is the content of the wheel's member.
var pinnedLibrary = content{size: 259284552, sha256: "88c3f28c5900f48ad4a82cab9e79bba9537809743395e341485f8794268820dc"}

// check compares a file with the content. It skips the checksum for a path, size and time that
// passed before.
func (c content) check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() != c.size {
		return fmt.Errorf("%s is %w: it has %d bytes, not %d", path, ErrDamaged, info.Size(), c.size)
	}
	file, err := identity(path)
	if err != nil {
		return err
	}
	record, err := cache.Dir("whole", fmt.Sprintf("%x", sha256.Sum256([]byte(file+"|"+c.sha256)))[:32])
	if err != nil {
		return err
	}
	if _, err := os.Stat(record); err == nil {
		return nil
	}
	sum, err := wholefile.Digest(path)
	if err != nil {
		return err
	}
	if sum != c.sha256 {
		return fmt.Errorf("%s is %w: its SHA-256 is %s, not %s", path, ErrDamaged, sum, c.sha256)
	}
	// Write errors are ignored: the next process checks again.
	_ = cache.WriteFile(record, []byte(path+"\n"))
	return nil
}
