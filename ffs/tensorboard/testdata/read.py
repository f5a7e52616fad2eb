"""Reads event files with TensorBoard's own reader and prints what is in them as JSON."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "tensors": 0}).Reload()
tags = events.Tags()
hparams = {}
for tag, content in events.summary_metadata.items():
    if content.plugin_data.plugin_name == "hparams":
        data = plugin_data_pb2.HParamsPluginData.FromString(content.plugin_data.content)
        which = data.WhichOneof("data")
        if which == "session_start_info":
            start = data.session_start_info
            hparams["group"] = start.group_name
            for key, value in start.hparams.items():
                hparams[key] = getattr(value, value.WhichOneof("kind"))
        else:
            hparams["status"] = data.session_end_info.status
print(
    json.dumps(
        {
            "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
            "images": {tag: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in events.Images(tag)] for tag in tags["images"]},
            "histograms": {
                tag: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in events.Histograms(tag)]
                for tag in tags["histograms"]
            },
            "hparams": hparams,
        }
    )
)
