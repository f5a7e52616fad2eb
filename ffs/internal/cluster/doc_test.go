// Package cluster tests studies on a real Slurm: its daemons run on this machine's loopback, one
// node of two CPUs, in a temporary folder with ports of their own. The test needs Debian's packages
// slurm-wlm and munge and the rights of root; without them it is skipped, which says why.
//
//	go test ./ffs/internal/cluster -v
//	go test ./ffs/internal/cluster -v -cluster.seeds=6 -timeout 30m     # twelve cells
package cluster
