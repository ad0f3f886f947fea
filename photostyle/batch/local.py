"""Engines on this machine: a pool of processes, or this very process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import deque
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import IO

from photostyle.batch.plan import Task
from photostyle.batch.work import Outcome, perform


class Local:
    """Worker processes that live as long as the batch; one that dies costs the task that it had, and is replaced.

    Each maps the same file of weights into its memory, so that there is one copy for all.
    """

    def __init__(self, workers: int, threads: int, gpus: int = 0) -> None:
        """`threads` for each of the `workers`; of several `gpus` each worker sees one."""
        self.workers, self.threads = workers, threads
        self._seats = deque(range(workers))
        self._visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
        self._gpus = gpus
        self._processes: dict[int, _Worker] = {}
        self._answers: SimpleQueue[tuple[int, Task, Outcome]] = SimpleQueue()

    @property
    def free(self) -> bool:
        """Whether a worker has nothing to do."""
        return bool(self._seats)

    def start(self, task: Task) -> None:
        """Give a task to a free worker."""
        seat = self._seats.popleft()
        if seat not in self._processes:
            card = {"CUDA_VISIBLE_DEVICES": self._visible[seat % len(self._visible)]} if self._gpus > 1 else {}
            self._processes[seat] = _Worker(self.threads, card)
        worker = self._processes[seat]
        Thread(target=lambda: self._answers.put((seat, task, worker.ask(task))), daemon=True).start()

    def wait(self) -> tuple[Task, Outcome]:
        """The next task that comes to an end."""
        seat, task, outcome = self._answers.get()
        if not self._processes[seat].alive:
            self._processes.pop(seat).close()
        self._seats.append(seat)
        return task, outcome

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        for worker in self._processes.values():
            worker.close()


class _Worker:
    """A process of `photostyle.batch.work` and the pipes to it."""

    def __init__(self, threads: int, environment: dict[str, str]) -> None:
        package = str(Path(__file__).resolve().parents[2])
        self._errors: IO[bytes] = TemporaryFile()  # noqa: SIM115 (closed with the worker)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "photostyle.batch.work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={
                # Threads that wait for each other by spinning take the cores from the other workers.
                "OMP_WAIT_POLICY": "PASSIVE",
                **os.environ,
                **environment,
                "OMP_NUM_THREADS": str(threads),
                "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
            },
        )
        self.alive = True

    def ask(self, task: Task) -> Outcome:
        """The outcome of a task; also of one that the process does not survive."""
        assert self._process.stdin and self._process.stdout
        answer = b""
        with contextlib.suppress(OSError, ValueError):  # the process is dead, or its pipes are closed already
            self._process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if answer.endswith(b"\n"):
            return Outcome(**json.loads(answer))
        self.alive = False
        return Outcome(self._last_words(self._process.wait()), again=True)

    def _last_words(self, code: int) -> str:
        if code == -signal.SIGKILL:
            return "The worker was ended by SIGKILL, which often means that memory ran out: use fewer --workers."
        if code < 0:
            return f"The worker was ended by {signal.Signals(-code).name}."
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"The worker ended unexpectedly: {lines[-1] if lines else f'exit code {code}'}"

    def close(self) -> None:
        """End the process and forget it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):  # what is left in a pipe without a reader
                stream and stream.close()


class Here:
    """One task after the other in this process, with all its threads: for a debugger, and for memory://."""

    workers, threads = 1, 0

    def __init__(self) -> None:
        self._waiting: list[Task] = []

    @property
    def free(self) -> bool:
        """Whether there is nothing to do."""
        return not self._waiting

    def start(self, task: Task) -> None:
        """Have a task ready."""
        self._waiting.append(task)

    def wait(self) -> tuple[Task, Outcome]:
        """Do it."""
        task = self._waiting.pop()
        return task, perform(task)

    def close(self) -> None:
        """There is nothing to end."""
