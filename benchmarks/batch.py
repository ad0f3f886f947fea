"""A batch under fire: 200 photographs, workers and driver killed again and again, and all results there in the end.

    python benchmarks/batch.py [--engine local|ray] [--count 200] [--workers 2]

Every few seconds a worker gets SIGKILL; whenever a third of the photographs is done, so does the driver, twice, and the
same command goes on with --resume. Then every result is compared with the one that `transfer` makes, and the most
memory that all processes held together is told (proportional set size: what they share counts once). For Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F

from photostyle import load_image, save_image, transfer

WORKERS = ("photostyle.batch.work", "ray::perform", "ray::IDLE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--side", type=int, default=320, help="of the photographs, pixels")
    parser.add_argument("--every", type=float, help="seconds between kills: 2, on Ray, whose workers start slowly, 12")
    given = parser.parse_args()
    every = given.every or {"local": 2.0, "ray": 12.0}[given.engine]
    with TemporaryDirectory(prefix="photostyle-batch-benchmark-") as folder:
        photographs, style, out = Path(folder) / "photographs", Path(folder) / "style.png", Path(folder) / "out"
        photographs.mkdir()
        for i in range(given.count):
            save_image(picture(i, given.side), photographs / f"{i:04d}.png")
        save_image(picture(given.count, given.side), style)
        line = [sys.executable, "-m", "photostyle", "batch", str(photographs), "-o", str(out), "--style", str(style)]
        line += ["--recipe", "reinhard", "--regions", "none", "--engine", given.engine]
        line += ["--workers", str(given.workers), "--threads", "1", "--retries", "5", "--quiet"]
        began, deaths, peak = time.monotonic(), Counter[str](), 0
        for goal in (given.count // 3, 2 * given.count // 3, None):
            more = ["--resume"] if out.exists() else []
            code, killed, most = fire([*line, *more], out / "journal.jsonl", goal, every)
            deaths += Counter(workers=killed, drivers=int(goal is not None))
            peak = max(peak, most)
        seconds = time.monotonic() - began
        records = [json.loads(text) for text in (out / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
        states = Counter(record["state"] for record in records)
        print(
            f"{given.engine}: exit code {code} after {seconds:.0f} s; killed: {dict(deaths)}; journal: {dict(states)}"
        )
        check(photographs, style, out)
        print(f"{given.count} results, each there once and right; at most {peak / 1e9:.2f} GB in all processes")


def picture(seed: int, side: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 8, generator=generator)
    return F.interpolate(coarse, (side * 3 // 4, side), mode="bicubic", align_corners=False)[0].clamp(0, 1)


def fire(line: list[str], journal: Path, goal: int | None, every: float) -> tuple[int, int, int]:
    """Run the command and kill workers, and the driver when `goal` photographs are done, or let it end by itself.

    Returns its exit code, how many workers were killed, and the most memory that all held together, bytes.
    """
    process = subprocess.Popen(line, start_new_session=True)
    last, killed, peak = time.monotonic(), 0, 0
    while process.poll() is None:
        time.sleep(0.02)
        if goal is not None and journal.exists() and journal.read_bytes().count(b'"done"') >= goal:
            process.kill()
        elif time.monotonic() - last >= every:
            last, below = time.monotonic(), descendants(process.pid)
            peak = max(peak, sum(map(memory, [process.pid, *below])))
            workers = [pid for pid in below if any(word in command(pid) for word in WORKERS)]
            if workers:
                os.kill(random.choice(workers), signal.SIGKILL)
                killed += 1
    return process.wait(), killed, peak


def descendants(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        for child in read(path).split():
            found += [int(child), *descendants(int(child))]
    return found


def command(pid: int) -> str:
    return read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")


def memory(pid: int) -> int:
    lines = read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has just ended
        return ""


def check(photographs: Path, style: Path, out: Path) -> None:
    """Raises AssertionError unless each photograph has its result, and nothing else is there but the journal."""
    names = {path.name for path in photographs.iterdir()}
    assert {path.name for path in out.iterdir() if "journal" not in path.name} == names
    model = load_image(style)
    for name in names:
        expected = transfer(load_image(photographs / name), model, recipe="reinhard")
        assert (load_image(out / name) - expected).abs().max() < 0.005, name


if __name__ == "__main__":
    main()
