"""Clips: one look for every frame, from file to file, through PyAV, which brings FFmpeg's libraries.

clip (a file that can be decoded) → survey (its scenes, and which frames are typical) → finding (the look, on one
frame) → tracking (where its regions lie on the others) → painting (frames with the look) → parts (encoded, and kept
if a run ends early) → joining (one file, with the clip's sound). `run` does all of it.
"""

from photostyle.video.encoders import CODECS, Codec
from photostyle.video.run import Outcome, grade_clip

__all__ = ["CODECS", "Codec", "Outcome", "grade_clip"]
