"""What JupyterLab expects of a kernel and GoNB does not do, done in Jupyter's server.

A failing cell, and an interrupt, end the queue: JupyterLab sends all cells of "Run All" at once and leaves it to the
kernel to abort those behind a failure. Here they are held back and sent one at a time.

A cell says from its first second that it is at work: while Go compiles it, no program is there to say so.
"""

import asyncio
from collections import deque

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

PROTOCOL = "v1.kernel.websocket.jupyter.org"  # JupyterLab's; other clients are served as usual
OUTPUTS = {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}


class Cell:
    """A request to execute."""

    def __init__(self, header, content, message):
        self.header, self.message = header, message
        self.stop_on_error = content.get("stop_on_error", True)
        self.silent = content.get("silent", False)
        self.has_output = False
        self.notice = 0  # the seconds that the notice tells; 0: there is none


class Connection(ZMQChannelsWebsocketConnection):
    running = None  # the cell that the kernel has

    def __init__(self, **options):
        super().__init__(**options)
        self.waiting = deque()

    def handle_incoming_message(self, incoming_msg):
        if self.subprotocol != PROTOCOL:
            return super().handle_incoming_message(incoming_msg)
        channel, parts = deserialize_msg_from_ws_v1(incoming_msg)
        header = self.session.unpack(parts[0])
        if (channel, header["msg_type"]) != ("shell", "execute_request"):
            return super().handle_incoming_message(incoming_msg)
        self.waiting.append(Cell(header, self.session.unpack(parts[3]), incoming_msg))
        self.send_next()

    def send_next(self):
        if self.running is None and self.waiting:
            self.running = self.waiting.popleft()
            super().handle_incoming_message(self.running.message)
            asyncio.get_running_loop().call_later(1, self.tell_time, self.running)

    def handle_outgoing_message(self, stream, outgoing_msg):
        cell = self.running
        if cell is None:
            return super().handle_outgoing_message(stream, outgoing_msg)
        channel = getattr(stream, "channel", stream)
        _, parts = self.session.feed_identities(outgoing_msg)
        ours = self.session.unpack(parts[2]).get("msg_id") == cell.header["msg_id"]
        if ours and channel == "iopub" and self.session.unpack(parts[1])["msg_type"] in OUTPUTS:
            self.end_notice(cell, wait=True)
        super().handle_outgoing_message(stream, outgoing_msg)
        if ours and channel == "shell":
            self.running = None
            self.end_notice(cell, wait=False)
            if cell.stop_on_error and self.session.unpack(parts[4]).get("status") == "error":
                self.abort_waiting()
            self.send_next()

    def tell_time(self, cell):
        """Shows, or updates, the notice of a cell that has no output yet."""
        if self.running is not cell or cell.has_output or cell.silent or not self.channels:
            return
        kind = "update_display_data" if cell.notice else "display_data"
        cell.notice += 1
        text = f"compiling and starting the cell · {cell.notice} s"
        content = {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": cell.header["msg_id"]}}
        self.tell("iopub", kind, content, cell.header)
        asyncio.get_running_loop().call_later(1, self.tell_time, cell)

    def end_notice(self, cell, wait):
        if cell.notice and not cell.has_output:
            self.tell("iopub", "clear_output", {"wait": wait}, cell.header)
        cell.has_output = True

    def abort_waiting(self):
        while self.waiting:
            header = self.waiting.popleft().header
            self.tell("shell", "execute_reply", {"status": "aborted"}, header)
            self.tell("iopub", "status", {"execution_state": "idle"}, header)

    def tell(self, channel, kind, content, parent):
        message = self.session.msg(kind, content, parent=parent)
        self.write_message(serialize_msg_to_ws_v1(message, channel, pack=self.session.pack), binary=True)

    def on_kernel_restarted(self):
        self.forget()
        super().on_kernel_restarted()

    def on_restart_failed(self):
        self.forget()
        super().on_restart_failed()

    def forget(self):
        """Nothing is left of what the kernel was asked for: it has died, or starts anew."""
        self.running = None
        self.abort_waiting()

    def disconnect(self):
        # The kernel outlives the page, and so does its queue.
        while self.channels and self.waiting:
            super().handle_incoming_message(self.waiting.popleft().message)
        self.running = None
        super().disconnect()


class Kernels(AsyncMappingKernelManager):
    async def interrupt_kernel(self, kernel_id):
        stopped = [(c, c.running) for c in connections(kernel_id) if c.running]
        for connection in connections(kernel_id):
            connection.abort_waiting()
        await super().interrupt_kernel(kernel_id)
        self.insisting = asyncio.ensure_future(self.insist(kernel_id, stopped))

    async def insist(self, kernel_id, stopped):
        """Repeats the interrupt: GoNB loses one that comes while it compiles."""
        while True:
            await asyncio.sleep(1)
            if kernel_id not in self or not any(connection.running is cell for connection, cell in stopped):
                return
            await super().interrupt_kernel(kernel_id)

    async def restart_kernel(self, kernel_id, *args, **options):
        for connection in connections(kernel_id):
            connection.forget()
        return await super().restart_kernel(kernel_id, *args, **options)


def connections(kernel_id):
    return [c for c in Connection._open_sockets if c.kernel_id == kernel_id]
