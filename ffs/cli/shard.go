package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ffslab/ffs/protocol"
)

// evalShard detects on a part of the images of an evaluation.
func evalShard(cmd *cobra.Command, text string, o protocol.Options) error {
	shard, err := protocol.ParseShard(text)
	if err != nil {
		return fmt.Errorf("--shard: %w", err)
	}
	progress := &setProgress{w: os.Stderr}
	o.Progress, o.Note = progress.update, func(message string) { fmt.Fprintln(os.Stderr, message) }
	if err := protocol.RunShard(cmd.Context(), o, shard); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "shard %d of %d is detected in %s; after all shards give the same command without --shard\n", shard.Index, shard.Count, o.Out)
	return nil
}
