"""Gives each function of the local stack the processor time that Lambda gives it.

Lambda allots processor time in proportion to the memory: one vCPU at 1,769 MB
(docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). Each process of a function is put into a control
group of its own with that quota, a few milliseconds after its start. Memory is not limited. Needs root, and the
controller `cpu` of control groups, version 1 or 2.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import threading

MB_PER_VCPU = 1_769
PERIOD_US = 100_000
LOOK_EVERY_S = 0.02
V1 = pathlib.Path("/sys/fs/cgroup/cpu")
V2 = pathlib.Path("/sys/fs/cgroup")


class SizedFunctions:
    """The functions that run below one server process, each in a control group."""

    def __init__(self, server_pid: int) -> None:
        if os.geteuid() != 0:
            raise SystemExit("--lambda-sizes needs root, because it makes control groups")
        self._server_pid = server_pid
        self._folder = (V1 if V1.is_dir() else V2) / f"shardlift-{server_pid}"
        self._groups: dict[int, pathlib.Path] = {}
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def start(self) -> None:
        self._folder.mkdir()
        if not V1.is_dir():
            (self._folder / "cgroup.subtree_control").write_text("+cpu")
        self._watcher.start()

    def stop(self) -> None:
        """Removes the groups. Their processes have ended."""
        self._is_over.set()
        self._watcher.join()
        for group in (*self._groups.values(), self._folder):
            group.rmdir()

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_S):
            for pid in self._functions():
                if pid not in self._groups:
                    self._take_in(pid)

    def _take_in(self, pid: int) -> None:
        memory_mb = memory_of(pid)
        if memory_mb is None:
            return
        group = self._folder / str(pid)
        group.mkdir()
        quota_us = memory_mb * PERIOD_US // MB_PER_VCPU
        if V1.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        else:
            (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        self._groups[pid] = group
        # It may have ended meanwhile.
        with contextlib.suppress(ProcessLookupError):
            (group / "cgroup.procs").write_text(str(pid))

    def _functions(self) -> list[int]:
        found: list[int] = []
        for task in pathlib.Path(f"/proc/{self._server_pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, (task / "children").read_text().split())
        return found


def memory_of(pid: int) -> int | None:
    """The memory of the function that a process runs, in MB; nothing for another process."""
    try:
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    name = b"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="
    found = [line.removeprefix(name) for line in environment if line.startswith(name)]
    return int(found[0]) if found else None
