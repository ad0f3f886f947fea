"""The command line in this process."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from photostyle.cli import app


def run_command(*args: object) -> Result:
    """`run_command("transfer", path, …)`: what it may not catch, nobody catches."""
    return CliRunner().invoke(app, [str(arg) for arg in args], prog_name="photostyle", catch_exceptions=False)
