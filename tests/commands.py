"""The command line in this process."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from photostyle.cli import app

QUICK = ("--size", 32, "--steps", 3)
"""Options of a transfer that is soon done."""


def run_command(*args: object) -> Result:
    """`run_command("transfer", path, …)`: what it may not catch, nobody catches."""
    return CliRunner().invoke(app, [str(arg) for arg in args], prog_name="photostyle", catch_exceptions=False)


def fails(result: Result, *words: str) -> None:
    """One sentence on stderr, exit code 2, and no result."""
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("Error: ")
    assert all(word in lines[-1] for word in words), lines[-1]
    assert len(lines) == 1 or lines[0].startswith("Usage: ")
    assert "Traceback" not in result.stderr
