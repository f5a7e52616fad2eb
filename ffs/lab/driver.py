"""Runs one notebook: driver.py SOURCE TARGET KERNEL CELL_TIMEOUT_SECONDS.

Writes the executed notebook to TARGET in every case, also with a failing cell, and reports on standard output, one JSON
object a line: {"event": "cell", "cell": i}, {"event": "status", "message": what the running cell says of itself},
{"event": "error", "cell": i, "message": text}. Cells are code cells, numbered from 1.
"""

import json
import os
import re
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

# GoNB reports success for a shell cell ("!command", "%%bash") that fails, but leaves this trace.
SHELL_FAILURE = re.compile(r"^(?:exit status|signal:).*", re.MULTILINE)
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def report(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def runs(cell):
    tags = cell.metadata.get("tags", [])
    return cell.cell_type == "code" and bool(cell.source.strip()) and "skip-execution" not in tags


def text_of(outputs):
    """What the outputs say on standard error or as an error, without colours."""
    parts = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append("\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
    return ANSI.sub("", "\n".join(parts)).strip()


class ShellFailure(Exception):
    pass


class Client(NotebookClient):
    number = 0  # of the code cell that runs

    async def async_execute_cell(self, cell, cell_index, **options):
        if cell.cell_type == "code":
            self.number += 1
        if not runs(cell):
            return await super().async_execute_cell(cell, cell_index, **options)
        report("cell", cell=self.number)
        cell = await super().async_execute_cell(cell, cell_index, **options)
        errors = text_of(cell.outputs)
        if SHELL_FAILURE.search(errors):
            raise ShellFailure(errors)
        return cell

    def process_message(self, msg, cell, cell_index):
        content = msg["content"]
        # What a cell shows to replace it later is its progress.
        if "display_data" in msg["msg_type"] and content.get("transient", {}).get("display_id"):
            report("status", message=content["data"].get("text/plain", ""))
        return super().process_message(msg, cell, cell_index)


def execute(source, target, kernel, timeout):
    notebook = nbformat.read(source, as_version=4)
    client = Client(
        notebook,
        kernel_name=kernel,
        timeout=timeout,
        startup_timeout=120,
        coalesce_streams=True,
        resources={"metadata": {"path": os.getcwd()}},
    )
    error = None
    try:
        client.execute()
    except CellExecutionError as failure:
        cell = next(cell for cell in reversed(notebook.cells) if cell.get("outputs"))
        error = text_of(cell.outputs) or str(failure)
    except ShellFailure as failure:
        error = str(failure)
    except CellTimeoutError:
        error = f"no end within {timeout} seconds"
    except DeadKernelError:
        error = "the kernel died"
    except (Exception, KeyboardInterrupt) as failure:
        error = f"{type(failure).__name__}: {failure}"
    finally:
        partial = target + ".partial"
        nbformat.write(notebook, partial)
        os.replace(partial, target)
    if error is not None:
        report("error", cell=client.number, message=error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(execute(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
