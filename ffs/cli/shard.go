package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ffslab/ffs/protocol"
	"ffslab/viz/escape"
)

// parseShard parses the flag --shard; empty means the whole.
func parseShard(text string) (protocol.Shard, error) {
	if text == "" {
		return protocol.Shard{}, nil
	}
	shard, err := protocol.ParseShard(text)
	if err != nil {
		err = fmt.Errorf("--shard: %w", err)
	}
	return shard, err
}

// evalShard detects on a part of the images of an evaluation.
func evalShard(cmd *cobra.Command, shard protocol.Shard, o protocol.Options) error {
	o.Progress, o.Note = (&setProgress{w: os.Stderr}).update, printNote
	if err := protocol.RunShard(cmd.Context(), o, shard); err != nil {
		return err
	}
	escape.Fprintf(os.Stderr, "shard %d of %d is done in %s; after all shards, run the same command without --shard\n", shard.Index, shard.Count, o.Out)
	return nil
}
