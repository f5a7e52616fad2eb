package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
)

// foreign are the beginnings of files that people have in place of a checkpoint.
var foreign = []struct{ start, what, remedy string }{
	{"version https://git-lfs", "a Git LFS pointer, which stands for the file", "fetch it with: git lfs pull"},
	{"<", "a web page", "the download was answered by a page: fetch the file itself, for example with a browser"},
	{"{", "a JSON text", "name the checkpoint itself"},
	{"\x1f\x8b", "a gzip file", "unpack it first"},
	{"\x89HDF\r\n", "an HDF5 file", "save the weights with torch.save or as safetensors"},
	{"GGUF", "a GGUF file", "save the weights with torch.save or as safetensors"},
	{"\x93NUMPY", "one NumPy array", "save named arrays with torch.save or as safetensors"},
}

// notACheckpoint is the error of a file of another kind.
func notACheckpoint(data []byte) error {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, f := range foreign {
		if bytes.HasPrefix(text, []byte(f.start)) || bytes.HasPrefix(data, []byte(f.start)) {
			return fmt.Errorf("not a checkpoint but %s: %s", f.what, f.remedy)
		}
	}
	if len(data) > 262 && string(data[257:262]) == "ustar" {
		return errors.New("not a checkpoint but a tar file: unpack it first, or save it again with torch of 2018 or later")
	}
	return errors.New("not a checkpoint: want a torch .pth, a detectron2 .pkl or a .safetensors file")
}
