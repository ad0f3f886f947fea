"""Clips: their frames with a look, and everything else as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from clips import BT601, BT709, curved, flat, kept, levels, make_clip, packets, patches, read_frames
from typer.testing import Result

from photostyle import load_image, save_image
from photostyle.maps.lattice import ColorMap
from photostyle.video import CODECS, grade_clip
from photostyle.video.clip import open_clip
from photostyle.video.painting import TablePainter

Run = Callable[..., Result]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"])
@pytest.mark.parametrize(("matrix", "full"), [(BT709, False), (BT601, False), (BT709, True)])
def test_a_look_that_changes_nothing_changes_nothing(
    tmp_path: Path, plain: Path, pixels: str, matrix: int, full: bool
) -> None:
    """Without loss on either side: the numbers come back, for each matrix and range, and the format stays."""
    clip = make_clip(tmp_path / "a.mkv", patches(3), codec="ffv1", pixels=pixels, matrix=matrix, full=full)
    grade_clip(clip, tmp_path / "b.mkv", look=plain, codec="ffv1")
    for before, after in zip(read_frames(clip), read_frames(tmp_path / "b.mkv"), strict=True):
        assert (after.format.name, after.colorspace, after.color_range) == (
            before.format.name,
            before.colorspace,
            before.color_range,
        )
        for a, b in zip(before.planes, after.planes, strict=True):
            kind = np.uint16 if "10" in pixels else np.uint8
            difference = np.abs(np.frombuffer(a, kind).astype(int) - np.frombuffer(b, kind).astype(int))
            # colours that are halved are blurred where patches meet
            assert np.quantile(difference, 0.6 if "444" not in pixels else 1) <= (2 if "10" in pixels else 1)


@pytest.mark.parametrize("tilted", [False, True])
def test_a_table_is_the_colour_map(tmp_path: Path, tilted: bool) -> None:
    """Of 10 bits without loss, to less than a level of 255; also where the map follows the height."""
    map = curved()
    if tilted:
        tilt = torch.tensor([[0.1, 0.0, 0.0, 0.05], [0.0, -0.1, 0.0, 0.0], [0.0, 0.0, 0.0, -0.1]])
        map = ColorMap(map.nodes, tilt)
    clip = make_clip(tmp_path / "a.mkv", patches(2), codec="ffv1", pixels="yuv444p10le")
    grade_clip(clip, tmp_path / "b.mkv", look=kept(tmp_path / "look.safetensors", map), codec="ffv1")
    before, after = (levels(read_frames(path)[1]) for path in (clip, tmp_path / "b.mkv"))
    height = torch.linspace(-1, 1, 48)[:, None]
    expected = map(torch.from_numpy(before / 255).float().permute(2, 0, 1), height).clamp(0, 1)
    # near the ends heights are cut off, and that is the affair of `grade.heights`
    rows = slice(3, -3)
    difference = np.abs(after - 255 * expected.permute(1, 2, 0).numpy())[rows]
    assert difference.max() < (1.0 if not tilted else 1.5)


def test_tags_bits_times_and_sound_are_kept(tmp_path: Path, darker: Path) -> None:
    """Frames at uneven times: each has its own again, and every packet of sound its bytes and its time."""
    times = [0, 7, 11, 30, 31, 45, 80, 82, 99, 120, 121, 150]
    for suffix in (".mp4", ".mkv", ".mov"):
        clip = make_clip(
            tmp_path / f"a{suffix}",
            patches(12),
            pixels="yuv420p10le",
            times=times,
            time_base=Fraction(1, 90),
            sound=True,
        )
        out = tmp_path / f"b{suffix}"
        grade_clip(clip, out, look=darker)
        before, after = read_frames(clip), read_frames(out)
        assert [frame.time for frame in after] == pytest.approx([frame.time for frame in before], abs=1e-6)
        assert {frame.format.name for frame in after} == {"yuv420p10le"}
        tags = [(f.colorspace, f.color_range, f.color_primaries, f.color_trc) for f in (before[0], after[0])]
        assert tags[0] == tags[1] == (1, 1, 1, 1)
        assert packets(out, "audio") == packets(clip, "audio")
        assert levels(after[3]).mean() == pytest.approx(0.5 * levels(before[3]).mean(), rel=0.05)


def test_a_clip_that_begins_late(tmp_path: Path, darker: Path) -> None:
    """Transport streams begin anywhere: pictures and sound stay together, and start at zero."""
    clip = make_clip(tmp_path / "a.ts", patches(10), sound=True, late=20)
    with av.open(str(clip)) as file:
        assert file.start_time > 1_000_000
    grade_clip(clip, tmp_path / "b.mkv", look=darker)

    def gap(path: Path) -> float:
        return float(read_frames(path)[0].time) - packets(path, "audio")[0][0]

    assert len(read_frames(tmp_path / "b.mkv")) == 10
    assert gap(tmp_path / "b.mkv") == pytest.approx(gap(clip), abs=2e-3)
    assert min(float(read_frames(tmp_path / "b.mkv")[0].time), packets(tmp_path / "b.mkv", "audio")[0][0]) < 0.01


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (63, 47)])
def test_odd_sizes_are_kept(tmp_path: Path, darker: Path, width: int, height: int) -> None:
    clip = make_clip(tmp_path / "a.mkv", patches(3, height, width), codec="ffv1", pixels="yuv444p")
    grade_clip(clip, tmp_path / "b.mp4", look=darker)
    assert [(frame.width, frame.height) for frame in read_frames(tmp_path / "b.mp4")] == [(width, height)] * 3


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_frames_are_set_upright(tmp_path: Path, plain: Path, rotation: int) -> None:
    clip = make_clip(tmp_path / "a.mp4", patches(3), rotation=rotation)
    grade_clip(clip, tmp_path / "b.mp4", look=plain)
    (first, *_) = read_frames(tmp_path / "b.mp4")
    assert first.rotation == 0
    expected = np.rot90(levels(read_frames(clip)[0]), rotation // 90)
    assert levels(first).shape == expected.shape
    assert np.abs(levels(first) - expected)[4:20, 4:20].max() < 6


@pytest.mark.parametrize("codec", CODECS)
def test_codecs(tmp_path: Path, darker: Path, codec: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Each is written, and none prints anything."""
    clip = make_clip(tmp_path / "a.mp4", patches(4, 96, 128))
    outcome = grade_clip(clip, tmp_path / "b.mkv", look=darker, codec=codec)
    frames = read_frames(outcome.output)
    assert (outcome.frames, outcome.width, outcome.height) == (4, 128, 96) and len(frames) == 4
    assert levels(frames[2])[4:90, 4:90].mean() == pytest.approx(0.5 * levels(read_frames(clip)[2]).mean(), rel=0.06)
    assert capfd.readouterr() == ("", "")


def test_the_encoder_chooses_its_key_frames(tmp_path: Path, darker: Path) -> None:
    """Whatever kinds the frames had in the clip: here each was one."""
    clip = make_clip(tmp_path / "a.mkv", patches(12), codec="ffv1", pixels="yuv420p")
    grade_clip(clip, tmp_path / "b.mp4", look=darker)
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert sum(packet.is_keyframe for packet in file.demux(video=0) if packet.size) == 1


def test_the_tag_of_h265_is_the_one_that_all_players_know(tmp_path: Path, darker: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", patches(3, 96, 128))
    grade_clip(clip, tmp_path / "b.mp4", look=darker, codec="h265")
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert file.streams.video[0].codec_context.codec_tag == "hvc1"


def test_chapters_titles_and_languages_are_kept(tmp_path: Path, darker: Path) -> None:
    plain = make_clip(tmp_path / "plain.mkv", patches(10), sound=True)
    clip = tmp_path / "a.mkv"
    chapter = {"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}}
    with av.open(str(plain)) as source, av.open(str(clip), "w") as target:
        target.metadata["title"] = "Holiday"
        target.set_chapters([chapter])
        copies = [target.add_stream_from_template(stream) for stream in source.streams]
        copies[1].metadata["language"] = "deu"
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    grade_clip(clip, tmp_path / "b.mkv", look=darker)
    with av.open(str(tmp_path / "b.mkv")) as file:
        assert file.metadata["title"] == "Holiday"
        assert file.streams.audio[0].metadata["language"] == "deu"
        assert [chapter["metadata"]["title"] for chapter in file.chapters()] == ["one"]


def test_quality_and_preset_reach_the_encoder(tmp_path: Path, darker: Path, picture: Any) -> None:
    noisy = [(255 * picture(96, 128, seed=n).permute(1, 2, 0).numpy()).astype(np.uint8) for n in range(4)]
    clip = make_clip(tmp_path / "a.mp4", noisy)
    sizes = []
    for quality, preset in ((10, "fast"), (40, "fast"), (40, "ultrafast")):
        out = tmp_path / f"{quality}-{preset}.mp4"
        grade_clip(clip, out, look=darker, quality=quality, preset=preset)
        sizes.append(out.stat().st_size)
    assert sizes[0] > 2 * sizes[1] and sizes[1] != sizes[2]


def test_other_primaries(tmp_path: Path) -> None:
    """Of BT.2020 in SDR: the look is what it is in sRGB."""
    clip = make_clip(tmp_path / "a.mkv", flat((120, 110, 100), count=3), codec="ffv1", pixels="yuv444p10le")
    found = open_clip(clip)
    wide = replace(found, colors=replace(found.colors, primaries=9))
    map = ColorMap.affine(torch.diag(torch.tensor([0.6, 0.5, 0.4])), torch.zeros(3))
    paint = TablePainter(wide, map, "yuv444p10le")
    after = levels(paint(next(iter(wide.frames()))))[20, 20] / 255
    x = wide.space.to_srgb(np.full((1, 1, 3), 1, np.float32) * np.float32([120, 110, 100]) / 255)
    expected = wide.space.from_srgb(map(x.clamp(0, 1)).clamp(0, 1))[:, 0, 0]
    assert after == pytest.approx(expected.numpy(), abs=0.012)


@pytest.fixture
def files(tmp_path: Path, darker: Path) -> Path:
    """A folder of clips that are none, or that are damaged."""
    good = make_clip(tmp_path / "good.mp4", patches(40), sound=True, options={"g": "5"})
    for name, options in {"fast.mp4": {"movflags": "+faststart"}, "good.mkv": {}}.items():
        with av.open(str(good)) as source, av.open(str(tmp_path / name), "w", container_options=options) as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(source.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        data = (tmp_path / name).read_bytes()
        (tmp_path / f"cut-{name}").write_bytes(data[: len(data) * 6 // 10])
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[:-2000])
    (tmp_path / "text.mp4").write_text("no clip")
    (tmp_path / "empty.mp4").touch()
    save_image(torch.rand(3, 48, 64), tmp_path / "still.png")
    save_image(torch.rand(3, 48, 64), tmp_path / "still.jpg")
    make_clip(tmp_path / "single.mp4", patches(1))
    make_clip(tmp_path / "hdr.mp4", patches(3), pixels="yuv420p10le", transfer=16)
    (tmp_path / "there.mp4").write_text("precious")
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as file:
        tone = file.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        file.mux(tone.encode(frame))
        file.mux(tone.encode(None))
    return tmp_path


@pytest.mark.parametrize(
    ("clip", "options", "words"),
    [
        ("nowhere.mp4", (), "There is no file"),
        ("text.mp4", (), "cannot be read as a clip"),
        ("empty.mp4", (), "is empty"),
        ("cut.mp4", (), "has no pictures"),
        ("cut-fast.mp4", (), "is cut short"),
        ("cut-good.mkv", (), "is cut short"),
        ("still.png", (), "is a still picture"),
        ("still.jpg", (), "is a still picture"),
        ("single.mp4", (), "is a single frame"),
        ("sound.m4a", (), "has no pictures"),
        ("hdr.mp4", (), "high dynamic range (PQ)"),
        ("good.mp4", ("-o", "good.mp4"), "one of the input files"),
        ("good.mp4", ("-o", "there.mp4"), "exists already"),
        ("good.mp4", ("-o", "out.avi"), "use one of .mp4"),
        ("good.mp4", ("-o", "nowhere/out.mp4"), "there is no folder"),
        ("good.mp4", ("-o", "out.webm"), "cannot hold h264"),
        ("good.mp4", ("-o", "out.webm", "--codec", "vp9"), "cannot hold the clip's sound (aac)"),
        ("good.mp4", ("--codec", "divx"), "There is no codec 'divx'; the codecs are h264"),
        ("good.mp4", ("--quality", 99), "The quality of h264 lies between 0 and 51, not 99"),
        ("good.mp4", ("--codec", "ffv1", "-o", "o.mkv", "--quality", 3), "no quality to choose"),
        ("good.mp4", ("--preset", "quick"), "h264 has no preset 'quick'; its presets are ultrafast"),
        ("good.mp4", ("--at", 60), "there is no frame at 60 s"),
        ("good.mp4", ("--style", "still.png"), "Give either --style"),
    ],
)
def test_bad_input_is_one_sentence(
    run: Run, files: Path, darker: Path, monkeypatch: pytest.MonkeyPatch, clip: str, options: Any, words: str
) -> None:
    """Exit code 2, and nothing is written."""
    monkeypatch.chdir(files)
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    model = ("--style", "still.png") if "--at" in options else ("--look", darker)
    out = () if "-o" in options else ("-o", "out.mp4")
    result = run("video", clip, *model, *out, *options, "--quiet")
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ") and words in line
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_neither_style_nor_look(run: Run, files: Path) -> None:
    result = run("video", files / "good.mp4", "-o", files / "out.mp4")
    assert result.exit_code == 2 and "Give either --style" in result.stderr


def test_without_pyav(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "av" or name.startswith(("av.", "photostyle.video"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    result = run("video", tmp_path / "a.mp4", "--look", "b", "-o", tmp_path / "c.mp4")
    assert result.exit_code == 2 and result.stderr == "Error: Clips need PyAV: `pip install 'photostyle[video]'`.\n"


def test_the_command_line(run: Run, small_network: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", patches(10, 96, 128), sound=True)
    save_image(torch.rand(3, 64, 80, generator=torch.Generator().manual_seed(1)), tmp_path / "style.png")
    out = tmp_path / "out.mp4"
    result = run("video", clip, "--style", tmp_path / "style.png", "-o", out, "--at", 0.3)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Wrote {out}: 10 frames of 128×96 pixels in ")
    assert "The look is found on the frame at 0.3 s." in result.stderr
    assert "frames: 10/10" in result.stderr and "frames/s" in result.stderr and "s left)" in result.stderr
    with av.open(str(out)) as file:
        assert '"look": "style.png"' in file.metadata["comment"]
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", "style.png", "out.mp4"}
    assert load_image(tmp_path / "style.png").shape == (3, 64, 80)


def test_a_clip_in_rgb(tmp_path: Path, darker: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", patches(3), codec="ffv1", pixels="gbrp14le", tagged=False)
    grade_clip(clip, tmp_path / "b.mkv", look=darker)
    (first, *_) = read_frames(tmp_path / "b.mkv")
    assert first.format.name == "yuv444p10le" and first.colorspace in (5, 6)
    assert levels(first).mean() == pytest.approx(0.5 * levels(read_frames(clip)[0]).mean(), rel=0.03)
