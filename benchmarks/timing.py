"""What the benchmarks share: medians of times, jobs alone in fresh processes, tables ready for Markdown."""

from __future__ import annotations

import contextlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import torch

from photostyle.bench.worker import machine

P = ParamSpec("P")
T = TypeVar("T")


def median_seconds(run: Callable[[], object], count: int) -> float:
    """Median time of `run` after one call to warm up."""
    run()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def alone(job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `job`, a function of the script's own, returns in a fresh process, whose peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(job, *args, **kwargs).result()


def forget_peak() -> None:
    """From now on the peak of memory is what the process holds now, or will hold (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def installed(module: str, command: str) -> bool:
    """Whether a library to compare with can be imported; if not, says which command would add it."""
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"Without {module}, which is not installed: {command}\n")
    return found


def describe_machine() -> None:
    """One line of what the times depend on."""
    facts = machine()
    threads = torch.get_num_threads()
    print(f"torch {facts['torch']}, {threads} of {facts['cores']} cores, {facts['cpu']}, Python {facts['python']}\n")


def header(*titles: str) -> None:
    row(*titles)
    row("---", *["---:"] * (len(titles) - 1))


def row(first: str, *others: str) -> None:
    """One row of a table; numbers are set right."""
    print("|", " | ".join([f"{first:32}", *(f"{cell:>15}" for cell in others)]), "|", flush=True)
