"""Many copiers at once, each a process of its own with its own pace, connections and memory, as many Lambdas are."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator

import copying_stand


class Files:
    """The most files that any of these processes had open, by a look every half second."""

    def __init__(self, pids: list[int]) -> None:
        self.pids, self.most = pids, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self) -> None:
        while not self.ended.wait(0.5):
            for pid in self.pids:
                # One that has ended has none.
                with contextlib.suppress(OSError):
                    self.most = max(self.most, len(os.listdir(f"/proc/{pid}/fd")))

    def end(self) -> int:
        self.ended.set()
        self.thread.join()
        return self.most


@contextlib.contextmanager
def ready(folders: list[str], environment: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    """A copier for each planned folder, all of them waiting for a line. Those that still run at the end are ended."""
    copiers = [
        subprocess.Popen(
            [str(copying_stand.COPIER), "copy", folder, "1", "wait"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    try:
        for copier in copiers:
            assert copier.stdout
            assert copier.stdout.readline() == "ready\n"
        yield copiers
    finally:
        for copier in copiers:
            if copier.poll() is None:
                copier.terminate()
            copier.wait()


def copy(copiers: list[subprocess.Popen[str]]) -> dict[str, float]:
    """Starts all of them and waits for the last. Seconds are those of copying."""
    files = Files([copier.pid for copier in copiers])
    try:
        for copier in copiers:
            assert copier.stdin
            copier.stdin.write("go\n")
            copier.stdin.flush()
        told = [json.loads(copier.communicate()[0].splitlines()[-1]) for copier in copiers]
    finally:
        files_max = files.end()
    assert not any(each["failed"] for each in told), told
    return {
        # The first who has nothing left to do ends the time in which all of them ask for their share.
        "busy_s": min(each["busy_s"] for each in told),
        "elapsed_s": max(each["elapsed_s"] for each in told),
        "processor_s": sum(each["processor_s"] for each in told),
        "peak_mib": round(max(each["memory_peak_kib"] for each in told) / 1024, 1),
        "files_max": files_max,
    }
