package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/train"
)

// LoaderOptions say which data set is read, and how.
type LoaderOptions struct {
	// Config says how images are resized and padded, for training; Name is what its user calls it.
	Config config.Config
	Name   string
	// Data is the set; its images come in the order of training.
	Data *data.Dataset
	// Images is how many are read each time, rounded up to whole batches of train.images_per_step;
	// of a smaller set some come again.
	Images int
	// Log is told about every reading; nil stands for nobody.
	Log io.Writer
}

// LoaderReport is the outcome of Loader.
type LoaderReport struct {
	Part   string   `json:"part"`
	Config string   `json:"config"`
	Data   string   `json:"data"`
	Images int      `json:"images"` // of each measurement
	Batch  int      `json:"batch"`
	Shapes [][2]int `json:"canvases"` // height and width
	// PerSecond is the number of images a second on all cores, PerSecondOneCore with the program
	// kept on one; Ratio is the first by the second.
	PerSecond        float64 `json:"images_per_second"`
	PerSecondOneCore float64 `json:"images_per_second_one_core"`
	Ratio            float64 `json:"ratio"`
	Machine
}

// Loader measures how many images a second the loader makes into batches for training: decoded,
// resized, flipped and padded. It reads the same images three times, first to bring their files
// into the system's memory, then on all cores, then on one. The error is that of the first image
// that cannot be read, or of ctx.
func Loader(ctx context.Context, o LoaderOptions) (*LoaderReport, error) {
	if o.Images < 1 {
		return nil, fmt.Errorf("loader: %d images: there must be at least 1", o.Images)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	in := train.LoaderConfig(o.Config, 0)
	batches := (o.Images + in.BatchSize - 1) / in.BatchSize
	r := &LoaderReport{
		Part: "loader", Config: o.Name, Data: o.Data.Name, Images: batches * in.BatchSize, Batch: in.BatchSize, Shapes: o.Config.Input.Canvases,
	}
	cores := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(cores)
	for _, pass := range []struct {
		name      string
		cores     int
		perSecond *float64
	}{{"first reading", cores, new(float64)}, {"all cores", cores, &r.PerSecond}, {"one core", 1, &r.PerSecondOneCore}} {
		runtime.GOMAXPROCS(pass.cores)
		took, err := read(ctx, o.Data, in, batches)
		if err != nil {
			return nil, fmt.Errorf("loader: %w", err)
		}
		*pass.perSecond = float64(r.Images) / took.Seconds()
		fmt.Fprintf(o.Log, "loader: %s: %d images in %.2f s\n", pass.name, r.Images, took.Seconds())
	}
	runtime.GOMAXPROCS(cores)
	r.Ratio = r.PerSecond / r.PerSecondOneCore
	r.Machine = machine(nil)
	return r, nil
}

// read takes the first batches of a training, from the start of the loader to the last of them.
func read(ctx context.Context, set *data.Dataset, in data.Config, batches int) (time.Duration, error) {
	begin := time.Now()
	loader, err := data.Train(ctx, set, in)
	if err != nil {
		return 0, err
	}
	defer loader.Close()
	for range batches {
		if _, err := loader.Next(); err != nil {
			return 0, err
		}
	}
	return time.Since(begin), nil
}
