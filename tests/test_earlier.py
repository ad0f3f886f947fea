"""Files that version 0.1.0 wrote are still read. They were made by it, and are kept as they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from commands import run_command

from photostyle import load_look, save_image
from photostyle.batch.journal import last_records

MADE = Path(__file__).parent / "made-by-0.1.0"


def ramp(height: int, width: int) -> torch.Tensor:
    y = torch.linspace(0, 1, height)[:, None].expand(height, width)
    x = torch.linspace(0, 1, width).expand(height, width)
    return torch.stack([x, y, (x + y) / 2])


def test_a_look() -> None:
    """It was found on a ramp whose channels were reversed, times 0.8, plus 0.1; 0.1.0 gives a larger one the same."""
    photograph = 0.9 * ramp(48, 72)
    after = load_look(MADE / "look.safetensors").apply(photograph)
    torch.testing.assert_close(after, 0.8 * photograph.flip(0) + 0.1, rtol=0, atol=5e-3)


def test_a_journal(tmp_path: Path) -> None:
    assert last_records([MADE / "journal.jsonl"])["a.jpg"]["state"] == "done"


def test_a_batch_goes_on_with_its_journal(tmp_path: Path) -> None:
    for folder in ("photos", "out"):
        (tmp_path / folder).mkdir()
    save_image(ramp(24, 36), tmp_path / "photos" / "a.jpg")
    save_image(ramp(40, 40).flip(0), tmp_path / "style.png")
    shutil.copy(MADE / "journal.jsonl", tmp_path / "out")
    options = [
        "--style",
        tmp_path / "style.png",
        "--recipe",
        "reinhard",
        "--regions",
        "none",
        "--workers",
        0,
        "--resume",
    ]
    done = run_command("batch", tmp_path / "photos", "-o", tmp_path / "out", *options)
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "out" / "a.jpg").exists()  # of another photograph than the journal's: it is made anew
