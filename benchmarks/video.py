"""How fast clips are, and whether they flicker.

    python benchmarks/video.py [--frames 48]

A clip of 1080p is made of an example photograph, with grain, the camera moving across it. It is read, painted and
encoded as `photostyle video` does it (H.264, crf 18, preset fast), by one table, by one that follows the height, and by
two regions. Beside frames a second stands the time of all cores for a frame: on a machine that does other things too
it says more. Flicker is measured on a still scene with grain: by how much ΔE*ab between neighbouring frames differs,
on average, from what it is where the regions are held still.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from timing import describe_machine, header, row
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.image import fit, resize, shrink
from photostyle.maps.blend import blend, find_borders
from photostyle.maps.lattice import ColorMap, cube
from photostyle.photofile import load_image
from photostyle.regions.labels import load_regions
from photostyle.video.clip import Clip, open_clip
from photostyle.video.encoders import choose
from photostyle.video.finding import Grade
from photostyle.video.library import av
from photostyle.video.painting import painter
from photostyle.video.parts import Parts
from photostyle.video.survey import survey
from photostyle.video.tracking import SIZE, Tracker

EXAMPLE = Path(__file__).parent.parent / "examples" / "palace-night"
HEIGHT, WIDTH = 1080, 1920
GRAIN = 2 / 255


def write_clip(path: Path, photograph: Tensor, frames: int) -> None:
    """The camera goes across the photograph (3×H×W), two pixels a frame."""
    large = resize(photograph, (HEIGHT + 2 * frames, WIDTH + 2 * frames))
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=24, options={"crf": "18", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for n in range(frames):
            view = large[:, 2 * n : 2 * n + HEIGHT, 2 * n : 2 * n + WIDTH]
            noisy = (view + GRAIN * torch.randn(view.shape)).clamp(0, 1).mul(255).byte()
            file.mux(stream.encode(av.VideoFrame.from_ndarray(noisy.permute(1, 2, 0).contiguous().numpy(), "rgb24")))
        file.mux(stream.encode(None))


def grade(photograph: Tensor, masks: Tensor, count: int, tilted: bool) -> Grade:
    """As many maps as regions, some way from no change."""
    x = cube(17)
    maps = [ColorMap.of(torch.stack([x[0] ** 1.4, 0.8 * x[1], 0.7 * x[2] + 0.1])), ColorMap.of(x**0.8 * 0.6)][:count]
    if tilted:
        maps = [ColorMap(map.nodes, torch.full((3, 4), 0.02)) for map in maps]
    areas = masks if count > 1 else torch.ones(1, *masks.shape[1:])
    return Grade(tuple(maps), photograph, areas)


def encode(clip: Clip, look: Grade, folder: Path) -> tuple[float, float]:
    """Frames a second, and the seconds of all cores for one."""
    encoding = choose(clip, folder / "out.mp4", "h264", None, None)
    began, cpu = time.perf_counter(), time.process_time()
    with Parts(folder / "parts", {}, clip, encoding, ".mp4", resume=False) as parts:
        paint = painter(clip, look, encoding.pixels)
        for frame in clip.frames():
            parts.add(paint(frame))
        parts.close()
        count = parts.done
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    parts.clear()
    return count / seconds, cpu / count


def flicker(photograph: Tensor, masks: Tensor, look: Grade, frames: int) -> tuple[float, float]:
    """Mean |ΔE(t, t + 1) − ΔE where regions are held|, and the mean ΔE itself."""
    still = fit(photograph, 640)
    small_size = fit(still, SIZE).shape[1:]
    tracker = Tracker(fit(photograph, 448), masks)
    held = find_borders(shrink(masks, small_size), shrink(still, small_size))
    before: tuple[Tensor, Tensor] | None = None
    beyond, own = [], []
    for _ in range(frames):
        frame = (still + GRAIN * torch.randn(still.shape)).clamp(0, 1)
        small = shrink(frame, small_size)
        borders = find_borders(tracker(small), small)
        now = tuple(lab_from_srgb(blend(look.maps, frame, b)) for b in (borders, held))
        if before:
            changes = [(a - b).norm(dim=0) for a, b in zip(now, before, strict=True)]
            beyond.append(float((changes[0] - changes[1]).abs().mean()))
            own.append(float(changes[1].mean()))
        before = now[0], now[1]
    return sum(beyond) / len(beyond), sum(own) / len(own)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=48)
    frames = parser.parse_args().frames
    torch.manual_seed(0)
    describe_machine()
    rows = slice(0, 360)  # of 640 columns: 16:9
    photograph = load_image(EXAMPLE / "content.jpg")[:, rows]
    painted = load_regions(EXAMPLE / "content_regions.png", EXAMPLE / "style_regions.png")
    small = fit(photograph, 448)
    sky = shrink(painted.content[:1, rows], small.shape[1:])
    masks = torch.cat([sky, 1 - sky])
    header("1080p", "frames/s", "core s a frame")
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "in.mp4", photograph, frames)
        clip = open_clip(folder / "in.mp4")
        began, cpu = time.perf_counter(), time.process_time()
        survey(clip, lambda done, of: None)
        speed, cost = frames / (time.perf_counter() - began), (time.process_time() - cpu) / frames
        row("looking for scenes", f"{speed:.1f}", f"{cost:.3f}")
        for title, count, tilted in (("one table", 1, False), ("one, with height", 1, True), ("two regions", 2, True)):
            speed, cost = encode(clip, grade(small, masks, count, tilted), folder)
            row(title, f"{speed:.1f}", f"{cost:.3f}")
    print()
    header("Still scene with grain", "flicker", "ΔE of its own")
    row("two regions", *(f"{figure:.3f}" for figure in flicker(photograph, masks, grade(small, masks, 2, False), 12)))


if __name__ == "__main__":
    main()
