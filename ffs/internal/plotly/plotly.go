// Package plotly provides the text of plotly.min.js, which draws the explorer's pages. It lies in
// the Python package plotly (MIT licence), which pip fetches once into the cache.
package plotly

import (
	"context"
	"fmt"
	"io"
	"os"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

// The wheel, which holds Plotly.js 4.1.1, and the checksum of the script.
var (
	wheel = python.Wheel{
		Package: "plotly", Version: "7.1.0", File: "plotly-7.1.0-py3-none-any.whl",
		SHA256: "dbb7fa18afce40d0a8e80d1bf162eceb3faa0ce5a77fe741ad09a74cf78f53f3",
		Member: "plotly/package_data/plotly.min.js",
	}
	scriptSHA256 = "3b6e15d45dbb7fca5bd2094291e961ddc5472cd887009e6009a56dab668d721f"
)

// Remedy says what to do where [Script] fails, one sentence for the reader of a page without it.
const Remedy = "Connect this machine to its Python package index (pip) and make the page again: the library is fetched once, 10 MB, and then kept."

// Script returns the text of plotly.min.js. The first call on a machine downloads it, which it
// tells log; later ones need no network.
func Script(ctx context.Context, log io.Writer) ([]byte, error) {
	dir, err := cache.Dir("plotly", wheel.Version)
	if err != nil {
		return nil, err
	}
	path, err := wheel.Cached(ctx, dir, scriptSHA256, func() {
		fmt.Fprintf(log, "fetching Plotly.js for the explorer (Python package plotly %s, 10 MB)\n", wheel.Version)
	})
	if err != nil {
		return nil, fmt.Errorf("script of the plots (Plotly.js): %w", err)
	}
	return os.ReadFile(path)
}
