"""Trains in a cell, interrupts the kernel as JupyterLab's button does, and runs another cell: interrupt.py TEXT ROOT.

The interrupt is sent once the training cell has shown TEXT. ROOT is the repository. Prints what the cells show.
"""

import os
import queue
import sys

from jupyter_client import KernelManager


def run(manager, client, source, interrupt_at=None):
    number, text, seconds = client.execute(source), "", 0
    while seconds < 400:
        try:
            message = client.get_iopub_msg(timeout=1)
        except queue.Empty:
            seconds += 1
            continue
        if message["parent_header"].get("msg_id") != number:
            continue
        content = message["content"]
        if message["msg_type"] == "stream":
            text += content["text"]
        elif message["msg_type"] in ("display_data", "update_display_data"):
            text += content["data"].get("text/plain", "") + "\n"
        elif message["msg_type"] == "error":
            text += content["evalue"]
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            return text
        if interrupt_at and interrupt_at in text:
            interrupt_at = None
            manager.interrupt_kernel()
    sys.exit("a cell hangs: " + text)


manager = KernelManager(kernel_name="ffslab-go")
manager.start_kernel(cwd=os.path.join(sys.argv[2], "notebooks"))
client = manager.client()
client.start_channels()
try:
    client.wait_for_ready(timeout=120)
    training = 'import "ffslab/ffs/explore"\nvar session = explore.Must(explore.Open())\n%%\nexplore.Check(session.Train("flow"))'
    print(run(manager, client, training, interrupt_at=sys.argv[1]))
    print(run(manager, client, '%%\nprintln("the kernel is alive")'))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
