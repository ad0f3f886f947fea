"""Scenes of a clip and the regions of its looks: found, and followed from frame to frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clips import flat, halves, levels, make_clip, patches, read_frames, unseen
from torch import Tensor

from photostyle import ImageError, SettingsError, find_look, save_image, save_look
from photostyle.maps.lattice import ColorMap
from photostyle.video import finding, grade_clip
from photostyle.video import painting as painting_module
from photostyle.video.clip import open_clip
from photostyle.video.painting import RegionPainter
from photostyle.video.survey import frame_at, picture, survey
from photostyle.video.tracking import Tracker


def test_cuts_are_found_and_flashes_are_not(tmp_path: Path) -> None:
    red, blue, white = (180, 60, 50), (50, 60, 180), (250, 250, 250)
    clip = make_clip(tmp_path / "a.mp4", [*flat(red, count=12), *flat(white, count=1), *flat(blue, count=10)])
    seen = survey(open_clip(clip), unseen)
    assert [(scene.start, scene.stop) for scene in seen.scenes] in ([(0, 12), (12, 23)], [(0, 13), (13, 23)])
    assert len(seen.times) == 23


def test_the_typical_frame_is_like_most(tmp_path: Path) -> None:
    fade = [np.full((48, 64, 3), level, np.uint8) for level in range(0, 150, 15)]
    clip = make_clip(tmp_path / "a.mp4", [*fade, *flat((150, 140, 130), count=12)])
    seen = survey(open_clip(clip), unseen)
    assert seen.typical(range(len(seen.times))) >= 9


def test_the_frame_of_a_second(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4", patches(20), options={"g": "5"}))
    seen = survey(clip, unseen)
    assert [frame_at(clip, seen, at) for at in (0, 0.05, 0.1, 1.25, 1.9)] == [0, 0, 1, 12, 19]
    with pytest.raises(SettingsError, match=r"a\.mp4 is 1\.9 s long: there is no frame at 9 s"):
        frame_at(clip, seen, 9)
    for number in (0, 7, 19):
        expected = torch.from_numpy(patches(20)[number] / np.float32(255)).permute(2, 0, 1)
        assert (picture(clip, seen.times[number], 64) - expected)[:, 4:20, 4:28].abs().max() < 0.03


def test_a_look_for_all_and_a_look_for_each_scene(
    small_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(tmp_path / "a.mp4", [*patches(8), *flat((30, 40, 90), count=8)])
    style = tmp_path / "style.png"
    save_image(torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(0)), style)
    frames: list[Tensor] = []
    plain_find = finding._find

    def find(frame: Tensor, *rest: Any) -> Any:
        frames.append(frame)
        return plain_find(frame, *rest)

    monkeypatch.setattr(finding, "_find", find)
    grade_clip(clip, tmp_path / "one.mp4", style=style, regions="none", at=1.2)
    assert len(frames) == 1 and float(frames[0].mean()) == pytest.approx(160 / 3 / 255, abs=0.03)
    frames.clear()
    grade_clip(clip, tmp_path / "each.mp4", style=style, regions="none", per_scene=True)
    assert [float(frame.mean()) > 0.3 for frame in frames] == [True, False]


def test_regions_are_followed() -> None:
    tracker = Tracker(*halves())
    for shift in range(24):
        frame, masks = halves(shift, noise=0.03, seed=shift)
        found = tracker(frame)
        torch.testing.assert_close(found.sum(0), torch.ones(72, 96))
        assert (found - masks).abs().mean() < 0.02


def test_a_region_that_comes_in_from_the_side() -> None:
    """It is known by its colour, where nothing of it was before."""
    frame, masks = halves()
    tracker = Tracker(frame, masks)
    tracker(frame)
    for _ in range(8):
        moved = frame.clone()
        moved[:, 4:20, 80:] = frame[:, -1:, -1:]
        found = tracker(moved)
    assert found[1, 8:16, 84:].mean() > 0.8


def test_what_was_known_calms_the_masks() -> None:
    """Of colours that grain mixes up, masks change less than half as much as without memory."""
    frame, masks = halves()
    near = 0.5 + 0.1 * (frame - 0.5)
    tracker, remembered, forgotten = Tracker(near, masks), [], []
    for seed in range(10):
        grain = 0.02 * torch.randn(near.shape, generator=torch.Generator().manual_seed(seed))
        remembered.append(tracker(near + grain))
        forgotten.append(Tracker(near, masks)(near + grain))
    change, alone = (torch.stack(found[3:]).diff(dim=0).abs().mean() for found in (remembered, forgotten))
    assert 0 < change < 0.5 * alone


def test_noise_does_not_flicker(tmp_path: Path) -> None:
    """A still scene with grain: the maps of its regions, which differ much, stay where they are."""
    pictures = [(255 * halves(noise=0.03, seed=n)[0]).permute(1, 2, 0).numpy().astype(np.uint8) for n in range(8)]
    clip = open_clip(make_clip(tmp_path / "a.mkv", pictures, codec="ffv1", pixels="yuv444p"))
    frame, masks = halves()
    dark = ColorMap.affine(torch.eye(3) / 2, torch.zeros(3))
    grade = painting_module.Grade((ColorMap.identity(2), dark), frame, masks)
    paint = RegionPainter(clip, grade, "yuv444p10le")
    ratios = torch.stack(
        [
            torch.from_numpy(levels(paint(stored))).mean(2) / torch.from_numpy(levels(stored)).mean(2).clamp(min=1)
            for stored in clip.frames()
        ]
    )
    away = torch.cat([ratios[:, :30], ratios[:, 42:]], dim=1)  # from the border
    assert away.diff(dim=0).abs().mean() < 0.01
    assert ratios[:, :30].mean() == pytest.approx(1, abs=0.02) and ratios[:, 42:].mean() == pytest.approx(0.5, abs=0.02)


def test_looks_of_one_framing(tmp_path: Path) -> None:
    """Those of 0.1.0, and of other recipes: on a clip of their proportions, and refused on others."""
    clip = make_clip(tmp_path / "a.mp4", patches(3))
    before = torch.from_numpy(patches(1)[0] / np.float32(255)).permute(2, 0, 1)
    save_look(find_look(before, before / 2), tmp_path / "local.safetensors")
    grade_clip(clip, tmp_path / "b.mp4", look=tmp_path / "local.safetensors", strength=0.5)
    assert levels(read_frames(tmp_path / "b.mp4")[1]).mean() == pytest.approx(
        0.75 * levels(read_frames(clip)[1]).mean(), rel=0.02
    )
    other = make_clip(tmp_path / "c.mp4", patches(3, 64, 48))
    with pytest.raises(ImageError, match="same scene and framing"):
        grade_clip(other, tmp_path / "d.mp4", look=tmp_path / "local.safetensors")
    assert not (tmp_path / "d.mp4").exists() and not (tmp_path / "d-parts").exists()
