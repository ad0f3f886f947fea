"""Clips that are stopped, and go on to the same frames at the same times."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from clips import curved, halves, levels, look_of, make_clip, packets, patches, read_frames
from typer.testing import Result

from photostyle import save_look
from photostyle.maps.lattice import ColorMap
from photostyle.video import grade_clip
from photostyle.video import painting as painting_module
from photostyle.video import parts as parts_module
from photostyle.video.clip import open_clip
from photostyle.video.painting import RegionPainter, TablePainter

Run = Callable[..., Result]


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """`interrupted(n)`: Ctrl-C at the n-th frame that is painted; None: no more."""
    plain = TablePainter.__call__

    def at(n: int | None) -> None:
        calls = 0

        def call(self: TablePainter, frame: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == n:
                raise KeyboardInterrupt
            return plain(self, frame)

        monkeypatch.setattr(TablePainter, "__call__", call)

    return at


def test_an_interrupted_clip_is_playable_and_goes_on_to_the_same_frames(
    run: Run, tmp_path: Path, darker: Path, interrupted: Callable[[int | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_module, "_LENGTH", 4)
    clip = make_clip(tmp_path / "a.mp4", patches(14), sound=True)
    out, partial = tmp_path / "b.mkv", tmp_path / "b-partial.mkv"
    given = ("video", clip, "--look", darker, "-o", out, "--codec", "ffv1")
    assert run(*given).exit_code == 0
    expected = [frame.to_ndarray().tobytes() for frame in read_frames(out)]
    sound = packets(out, "audio")
    out.unlink()

    interrupted(8)
    result = run(*given)
    assert result.exit_code == 130 and result.stdout == ""
    assert result.stderr.splitlines()[-3:] == [
        f"The first 7 frames are in {partial}.",
        "To continue from here, repeat the command with --resume.",
        "Interrupted.",
    ]
    assert not out.exists()
    assert [frame.to_ndarray().tobytes() for frame in read_frames(partial)] == expected[:7]
    assert 0 < len(packets(partial, "audio")) < len(sound)

    refused = run(*given)
    assert refused.exit_code == 2 and "resume it, or name another folder" in refused.stderr
    refused = run(*given, "--resume", "--strength", 0.5)
    assert refused.exit_code == 2 and "another job (strength differ)" in refused.stderr

    interrupted(None)
    (tmp_path / "b-parts" / "torn.mkv").write_bytes(b"of a run that was killed")
    assert run(*given, "--resume").exit_code == 0
    again = read_frames(out)
    assert [frame.to_ndarray().tobytes() for frame in again] == expected
    assert [frame.time - again[0].time for frame in again] == pytest.approx([n / 10 for n in range(14)], abs=1e-3)
    assert packets(out, "audio") == sound
    assert not (tmp_path / "b-parts").exists()


def test_regions_go_on_where_they_were(tmp_path: Path) -> None:
    """What was seen of frames that are skipped counts as if they had been painted."""
    pictures = [(255 * halves(n, 0.2, n)[0]).permute(1, 2, 0).numpy().astype(np.uint8) for n in range(5)]
    clip = open_clip(make_clip(tmp_path / "a.mkv", pictures, codec="ffv1", pixels="yuv444p"))
    grade = painting_module.Grade((ColorMap.identity(2), curved()), *halves())
    whole, gone_on, without = (RegionPainter(clip, grade, "yuv444p10le") for _ in range(3))
    *before, last = clip.frames()
    for frame in before:
        whole(frame)
        gone_on.skip(frame)
    expected, same, other = (bytes(paint(last).planes[0]) for paint in (whole, gone_on, without))
    assert same == expected != other


def test_ctrl_c_before_the_first_frame_leaves_nothing(
    run: Run, tmp_path: Path, darker: Path, interrupted: Callable[[int | None], None]
) -> None:
    clip = make_clip(tmp_path / "a.mp4", patches(4))
    before = set(tmp_path.iterdir())
    interrupted(1)
    result = run("video", clip, "--look", darker, "-o", tmp_path / "b.mp4")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (130, "Interrupted.")
    assert set(tmp_path.iterdir()) == before


def test_parts_are_joined_at_uneven_times(tmp_path: Path, darker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an encoder that looks ahead, in parts shorter than that: every frame keeps its time."""
    monkeypatch.setattr(parts_module, "_LENGTH", 3)
    times = [0, 1, 2, 40, 41, 42, 43, 90, 200, 201]
    clip = make_clip(tmp_path / "a.mkv", patches(10), times=times, time_base=Fraction(1, 100))
    for suffix in (".mp4", ".mkv"):
        grade_clip(clip, tmp_path / f"b{suffix}", look=darker)
        found = read_frames(tmp_path / f"b{suffix}")
        assert [frame.time for frame in found] == pytest.approx([t / 100 for t in times], abs=1e-6)
        means = [levels(frame)[4:20, 4:28].mean() for frame in found]
        assert means == sorted(means)


@hypothesis.settings(max_examples=12, deadline=None)
@hypothesis.given(
    gaps=st.lists(st.integers(1, 40), min_size=2, max_size=9), length=st.integers(1, 5), late=st.integers(0, 2)
)
def test_any_times_are_kept(gaps: list[int], length: int, late: int) -> None:
    """Whatever lies between frames, and wherever parts end."""
    times = [sum(gaps[:n]) for n in range(len(gaps) + 1)]
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.setattr(parts_module, "_LENGTH", length)
        save_look(look_of(ColorMap.identity(2)), folder / "look.safetensors")
        clip = make_clip(folder / "a.mkv", patches(len(times)), times=times, time_base=Fraction(1, 100), late=late)
        grade_clip(clip, folder / "b.mp4", look=folder / "look.safetensors")
        found = [frame.time for frame in read_frames(folder / "b.mp4")]
    assert found == pytest.approx([t / 100 for t in times], abs=1e-6)
