"""The command line: a thin face on the package's public names.

Commands import what they need when they run, so that `--help` answers without waiting for PyTorch.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from signal import SIGINT, SIGTERM, signal
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from photostyle import PhotostyleError, __version__
from photostyle.cli import bench, look, weights
from photostyle.cli.apply import apply
from photostyle.cli.batch import batch
from photostyle.cli.doodle import doodle
from photostyle.cli.evaluate import demo, evaluate
from photostyle.cli.matte import matte
from photostyle.cli.recipes import recipes
from photostyle.cli.regions import regions
from photostyle.cli.select import select
from photostyle.cli.settings import SettingsCommand
from photostyle.cli.studio import studio
from photostyle.cli.tell import tell
from photostyle.cli.texture import texture
from photostyle.cli.transfer import transfer
from photostyle.cli.video import video
from photostyle.wording import HANDLER


class _Terminated(KeyboardInterrupt):
    """SIGTERM: from `kill`, a service manager, or a cluster whose time for the job is over."""


def _terminate(*_: object) -> None:
    raise _Terminated


class _Commands(TyperGroup):
    """Whatever the user can mend ends in one line and an exit code, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):  # a name that is no text must not end the work
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors=HANDLER)
        try:
            return super().invoke(ctx)
        except PhotostyleError as error:
            tell(error)
            raise typer.Exit(2) from error
        except typer.Exit:  # which is a RuntimeError too
            raise
        except (MemoryError, RuntimeError) as error:
            from photostyle.jobs import memory

            try:
                with memory.explained():
                    raise
            except PhotostyleError as shortage:
                tell(shortage)
                raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(128 + (SIGTERM if isinstance(error, _Terminated) else SIGINT)) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: quicker to print, and docs/cli.md is made of it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"photostyle {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Give one photograph the light of another, and keep it a photograph."""


app.command(cls=SettingsCommand)(transfer)
app.command(cls=SettingsCommand)(doodle)
app.command()(texture)
app.command()(apply)
app.command()(regions)
app.command()(select)
app.command()(matte)
app.command(cls=SettingsCommand)(batch)
app.command()(video)
app.command()(studio)
app.command(cls=SettingsCommand)(bench.bench)
for _command in (evaluate, recipes, demo):
    app.command()(_command)
app.add_typer(look.app, name="look")
app.add_typer(weights.app, name="weights")


def main() -> None:
    """The entry point `photostyle`."""
    # Threads that wait for each other by spinning slow everything down several times as soon as the machine
    # has anything else to do. PyTorch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    signal(SIGTERM, _terminate)  # does what Ctrl-C does
    app(prog_name="photostyle")
