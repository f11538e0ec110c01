"""The most memory that the processes of a function have had, while they run on the local stack."""

import contextlib
import pathlib
import threading

SAMPLE_SECONDS = 0.05
PEAK = "VmHWM:"


class FunctionMemory:
    """Watches them in a thread. `peaks` holds the peak of each process in bytes, by its id.

    The kernel keeps the peak, so that only what a process takes in its last moment can be missed.
    """

    def __init__(self, function_name):
        self._mark = f"AWS_LAMBDA_FUNCTION_NAME={function_name}\0".encode()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peaks = {}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while True:
            is_last = self._ended.wait(SAMPLE_SECONDS)
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                # Processes end meanwhile, and some are not ours to read.
                with contextlib.suppress(OSError):
                    if self._mark in (process / "environ").read_bytes():
                        self._note(process)
            if is_last:
                return

    def _note(self, process):
        for line in (process / "status").read_text().splitlines():
            if line.startswith(PEAK):
                self.peaks[int(process.name)] = int(line.split()[1]) * 1024
