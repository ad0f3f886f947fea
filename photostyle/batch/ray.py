"""The engine for many machines: the same tasks on Ray Core."""

from __future__ import annotations

import logging
import os
import signal
from threading import current_thread, main_thread
from typing import Any

from photostyle import SettingsError
from photostyle.batch.plan import Task
from photostyle.batch.run import share
from photostyle.batch.work import Outcome, perform

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a task without a card sees none
    "OMP_WAIT_POLICY": "PASSIVE",  # as in `local`; how many threads, Ray says itself
    "RAY_prestart_worker_first_driver": "0",  # a process for each core, before it is known how many have work
    # On a busy machine Ray's own processes, and workers that import PyTorch, need more than Ray waits for them.
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_worker_register_timeout_seconds": "600",
}
_STORE = 100_000_000  # bytes of shared memory: what passes through it are names of files


class Ray:
    """Tasks on Ray: on this machine, or on the cluster at `address`, where photostyle must be installed too.

    The processes that Ray keeps for tasks have the package and the map of the weights in memory, so that nothing is
    gained by actors. Ray itself does not try again: how often is one rule for all engines.
    """

    def __init__(
        self,
        address: str | None,
        most: int,
        *,
        workers: int | None = None,
        threads: int | None = None,
        gpus: float | None = None,
        device: str = "auto",
        cores: int = 1,
    ) -> None:
        """At most `most` tasks at a time, of `threads` cores and `gpus` graphics cards each.

        What is not given is chosen by what the cluster has; without an `address` that is the `cores` of this machine.
        Raises SettingsError if Ray is not installed or out of reach, or has no such cards.
        """
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            import ray
        except ImportError as error:
            raise SettingsError("The engine ray is not installed: pip install 'photostyle[ray]'.") from error
        self._ray: Any = ray  # typed in part only
        here: dict[str, Any] = {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _STORE}
        terminated = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address or "local", **({} if address else here), logging_level=logging.ERROR, log_to_driver=False)
        except Exception as error:  # of any kind; among them, plain, that its processes took too long to start
            ray.shutdown()
            where = f"reached at {address}" if address else "started on this machine"
            raise SettingsError(f"Ray cannot be {where} ({_first_line(error)}): see `ray status`.") from error
        finally:
            if current_thread() is main_thread():
                signal.signal(signal.SIGTERM, terminated)  # which Ray takes for itself
        there = self._ray.cluster_resources()
        cards = there.get("GPU", 0) if device in ("auto", "cuda") else 0
        gpus = min(cards, 1) if gpus is None else gpus
        if gpus > cards:
            ray.shutdown()
            raise SettingsError(f"Ray knows of {cards:g} graphics cards for the device {device}: lower --gpus.")
        room = int(there.get("CPU", 1))
        self.workers, self.threads = share(room, most, workers, threads, int(cards / gpus) if gpus else 0)
        self._perform = ray.remote(perform).options(num_cpus=self.threads, num_gpus=gpus, max_retries=0)
        self._running: dict[Any, Task] = {}

    @property
    def free(self) -> bool:
        """Whether there is room for another task."""
        return len(self._running) < self.workers

    def start(self, task: Task) -> None:
        """Hand a task to Ray."""
        self._running[self._perform.remote(task)] = task

    def wait(self) -> tuple[Task, Outcome]:
        """The next task that comes to an end."""
        ready, _ = self._ray.wait(list(self._running), num_returns=1)
        task = self._running.pop(ready[0])
        try:
            outcome: Outcome = self._ray.get(ready[0])
        except self._ray.exceptions.RayTaskError as error:  # it could not begin: another Python, or no photostyle
            return task, Outcome(_first_line(error))
        except self._ray.exceptions.RayError as error:  # the worker died, or its machine
            return task, Outcome(_first_line(error), again=True)
        return task, outcome

    def close(self) -> None:
        """Leave the cluster; Ray ends what is still at work for this process."""
        self._ray.shutdown()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'Ray gives no reason'}"
