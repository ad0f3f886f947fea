"""One file of the encoded pictures and of everything else that the clip has: sound, subtitles, chapters, its title."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from photostyle.errors import ImageError
from photostyle.files import whole
from photostyle.video.clip import Clip, opened
from photostyle.video.encoders import SUFFIXES, Encoding, held
from photostyle.video.library import av, why

_MICROSECOND = Fraction(1, 1_000_000)
_TAGGED = ("mp4", "mov")  # containers that name the codec by four letters, of which some players know only one
_KEPT = ("audio", "subtitle")


def check_streams(clip: Clip, output: Path) -> tuple[str, ...]:
    """Notes on streams that the output cannot hold. Raises ImageError if sound is among them."""
    codecs, notes = held(output), []
    with opened(clip.path) as container:
        for stream in container.streams:
            name = _codec(stream)
            if stream.type == "audio" and name not in codecs:
                raise ImageError(f"{output.suffix} files cannot hold the clip's sound ({name}): name a .mkv or a .mov.")
            if stream.type == "subtitle" and name not in codecs:
                notes.append(f"{output.suffix} files cannot hold the clip's subtitles ({name}): they are left out.")
            if stream.type in ("data", "attachment"):
                notes.append(f"A stream of {stream.type} of the clip is left out.")
    return tuple(notes)


def join(
    clip: Clip,
    encoding: Encoding,
    parts: Sequence[tuple[int, Path]],
    times: Sequence[int],
    output: Path,
    note: str,
    end: int,
) -> None:
    """Write the parts (first frame and file of each) and the clip's other streams as one file, whole or not at all.

    `times` are the ticks of all frames; of the clip's other streams is taken what comes before the frame `end`.
    `note` says how it was made. Raises ImageError if it cannot be written.
    """
    kind = SUFFIXES[output.suffix.lower()]
    options = {"movflags": "+faststart"} if kind in _TAGGED else {}
    until = times[end] * clip.time_base if end < len(times) else None
    try:
        with (
            whole(output) as temporary,
            opened(clip.path) as source,
            opened(parts[0][1]) as part,
            av.open(str(temporary), "w", format=kind, container_options=options) as target,
        ):
            target.metadata.update(source.metadata)
            target.metadata["comment"] = note
            pictures = target.add_stream_from_template(part.streams.video[0], opaque=True)
            pictures.time_base = clip.time_base
            if encoding.tag and kind in _TAGGED:
                pictures.codec_tag = encoding.tag
            target.set_chapters(source.chapters())
            copies = _copies(target, source, held(output))
            start = _start(source, times[0] * clip.time_base)
            packets = _pictures(pictures, clip, parts, times, start), _others(source, copies, start, until)
            for _, _, packet in heapq.merge(*packets, key=lambda entry: entry[:2]):
                target.mux_one(packet)
    except av.FFmpegError as error:
        raise ImageError(f"{output} could not be written ({why(error)}).") from error


Timed = tuple[float, int, Any]
"""Seconds, a number to tell equals apart, and an av.Packet."""


def _pictures(
    stream: Any, clip: Clip, parts: Sequence[tuple[int, Path]], times: Sequence[int], start: Fraction
) -> Iterator[Timed]:
    """The encoded pictures in the order of decoding, each at the time that its frame has in the clip.

    Containers round times, but those of the frames are known. A frame is decoded at the time at which another is
    shown: the earlier one that makes up for how far any frame is decoded before its turn.
    """
    order = [number for _, number in _numbered(clip, parts, times)]
    ahead = max(place - number for place, number in enumerate(order))
    shift = round(start / clip.time_base)
    for place, (packet, number) in enumerate(_numbered(clip, parts, times)):
        before = place - ahead
        packet.pts = times[number] - shift
        packet.dts = (times[before] if before >= 0 else times[0] + before * clip.step) - shift
        packet.time_base, packet.stream = clip.time_base, stream
        yield float(packet.dts * clip.time_base), 0, packet


def _numbered(clip: Clip, parts: Sequence[tuple[int, Path]], times: Sequence[int]) -> Iterator[tuple[Any, int]]:
    """The packets of all parts, each with the number of its frame."""
    for first, path in parts:
        with opened(path) as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.pts is not None:
                    yield packet, _nearest(times, times[first] + packet.pts * stream.time_base / clip.time_base)


def _copies(target: Any, source: Any, codecs: set[str]) -> dict[int, Any]:
    """A stream of the target for each of the source's that is copied, by index."""
    copies = {}
    for stream in source.streams:
        if stream.type in _KEPT and _codec(stream) in codecs:
            copies[stream.index] = target.add_stream_from_template(stream, opaque=True)
            copies[stream.index].metadata.update(stream.metadata)
            copies[stream.index].disposition = stream.disposition
    return copies


def _others(source: Any, copies: Mapping[int, Any], start: Fraction, until: Fraction | None) -> Iterator[Timed]:
    """The packets of the streams that are copied, up to the second `until`."""
    streams = [stream for stream in source.streams if stream.index in copies]
    for packet in source.demux(streams) if streams else ():
        if packet.dts is None or (until is not None and packet.dts * packet.time_base >= until):
            continue
        shift = round(start / packet.time_base)
        packet.pts, packet.dts = (packet.dts if packet.pts is None else packet.pts) - shift, packet.dts - shift
        packet.stream = copies[packet.stream.index]
        yield float(packet.dts * packet.time_base), 1, packet


def _start(source: Any, pictures: Fraction) -> Fraction:
    """The second at which a clip begins: files begin at zero. Where the file does not say, its pictures do.

    Sound that begins before zero has to be decoded first, and is not heard: it stays there.
    """
    said = pictures if source.start_time is None else source.start_time * _MICROSECOND
    return max(Fraction(0), said)


def _nearest(times: Sequence[int], time: Fraction) -> int:
    place = bisect_left(times, time)
    around = [n for n in (place - 1, place) if 0 <= n < len(times)]
    return min(around, key=lambda n: abs(times[n] - time))


def _codec(stream: Any) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
