//go:build cgo && linux

package device

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// All is static, because cgo compiles this twice. The part of PJRT's C interface (version 0.x,
// whose tables only grow at their ends) that is needed here: its table of functions, each of which
// takes one structure that begins with its own size, and the structures of the functions below.
struct pjrt {
	size_t size;
	void *extension;
	struct { size_t size; void *extension; int major, minor; } version;
	void *(*function[])(void *);
};
enum { error_destroy = 0, client_compile = 20, executable_destroy = 40, executable_serialize = 49, loaded_get_executable = 51, deserialize_and_load = 56, known };

struct program { size_t size; void *extension; char *code; size_t code_size; const char *format; size_t format_size; };
struct compile { size_t size; void *extension, *client; const struct program *program; const char *options; size_t options_size; void *loaded; };
struct get_executable { size_t size; void *extension, *loaded, *executable; };
struct serialize { size_t size; void *extension, *executable; const char *bytes; size_t bytes_size; void *owner; void (*release)(void *); };
struct load { size_t size; void *extension, *client; const char *bytes; size_t bytes_size; void *loaded; const char *options; size_t options_size; };
struct destroy { size_t size; void *extension, *object; };

// originals are the plugins' own tables: that of the plugin for CPUs and that of the one for GPUs,
// of which a process may open both.
static struct pjrt *originals[2];

static void destroy(int plugin, int function, void *object) {
	struct destroy args = { .size = sizeof args, .object = object };
	originals[plugin]->function[function](&args);
}

// failed says whether there is an error, and frees it.
static int failed(int plugin, void *error) {
	if (error) destroy(plugin, error_destroy, error);
	return error != NULL;
}

// ffslabCompile is called in the place of a plugin's compile function.
void *ffslabCompile(int plugin, struct compile *args);
static void *compile_for_cpu(void *args) { return ffslabCompile(0, args); }
static void *compile_for_gpu(void *args) { return ffslabCompile(1, args); }
static void *compile_now(int plugin, struct compile *args) { return originals[plugin]->function[client_compile](args); }

// open_plugin returns the plugin's table of functions with another compile function, or NULL.
static void *open_plugin(int plugin, const char *path) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	struct pjrt *(*get)(void) = library ? (struct pjrt *(*)(void))dlsym(library, "GetPjrtApi") : NULL;
	struct pjrt *api = get ? get() : NULL;
	if (!api || api->version.major != 0 || api->size < sizeof *api + known * sizeof api->function[0]) return NULL;
	struct pjrt *changed = malloc(api->size);
	if (!changed) return NULL;
	memcpy(changed, api, api->size);
	changed->function[client_compile] = plugin == 0 ? compile_for_cpu : compile_for_gpu;
	originals[plugin] = api;
	return changed;
}

// load_program returns the program of the bytes, or NULL.
static void *load_program(int plugin, void *client, const void *bytes, size_t size) {
	struct load args = { .size = sizeof args, .client = client, .bytes = bytes, .bytes_size = size };
	return failed(plugin, originals[plugin]->function[deserialize_and_load](&args)) ? NULL : args.loaded;
}

// store_program returns the bytes of a program, which the caller frees, or NULL.
static void *store_program(int plugin, void *loaded, size_t *size) {
	struct get_executable got = { .size = sizeof got, .loaded = loaded };
	if (failed(plugin, originals[plugin]->function[loaded_get_executable](&got))) return NULL;
	struct serialize args = { .size = sizeof args, .executable = got.executable };
	void *copy = NULL;
	if (!failed(plugin, originals[plugin]->function[executable_serialize](&args))) {
		*size = args.bytes_size;
		if ((copy = malloc(args.bytes_size))) memcpy(copy, args.bytes, args.bytes_size);
		args.release(args.owner);
	}
	destroy(plugin, executable_destroy, got.executable);
	return copy;
}
*/
import "C"

import (
	"sync"
	"time"
	"unsafe"

	"github.com/gomlx/go-xla/pjrt"
)

var (
	// kept keeps the programs of the first plugin for CPUs and of the first for GPUs that
	// keepPrograms was called with. They are nil if that was not possible.
	kept     [2]*keeper
	keepOnce [2]sync.Once
)

// keepPrograms opens the plugin so that its compiled programs are kept for later processes. go-xla
// cannot do that, but accepts a plugin's table of functions: it gets one with our compile function.
// If that fails, or after the first plugin of a process, go-xla opens the plugin itself.
func keepPrograms(plugin string) {
	slot := 0
	if forGPU(plugin) {
		slot = 1
		setCUDAFolder(plugin)
	}
	keepOnce[slot].Do(func() {
		keeper, err := newKeeper(plugin)
		if err != nil {
			return
		}
		path := C.CString(plugin)
		defer C.free(unsafe.Pointer(path))
		if table := C.open_plugin(C.int(slot), path); table != nil && pjrt.RegisterPreloadedPlugin(plugin, uintptr(table)) == nil {
			kept[slot] = keeper
		}
	})
}

//export ffslabCompile
func ffslabCompile(plugin C.int, args *C.struct_compile) unsafe.Pointer {
	kept := kept[plugin]
	if kept == nil {
		return C.compile_now(plugin, args)
	}
	program := args.program
	bytes := func(p *C.char, n C.size_t) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), n) }
	path := kept.path(bytes(program.code, program.code_size), bytes(program.format, program.format_size), bytes(args.options, args.options_size))
	if data := kept.read(path); data != nil {
		if args.loaded = C.load_program(plugin, args.client, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data))); args.loaded != nil {
			return nil
		}
	}
	begin := time.Now()
	if failure := C.compile_now(plugin, args); failure != nil {
		return failure
	}
	if time.Since(begin) < kept.worth {
		return nil
	}
	var size C.size_t
	if data := C.store_program(plugin, args.loaded, &size); data != nil {
		kept.write(path, unsafe.Slice((*byte)(data), size))
		C.free(data)
	}
	return nil
}
