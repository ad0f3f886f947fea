"""`photostyle weights`: the networks that tell what a photograph looks like."""

from __future__ import annotations

from typing import Annotated

import typer

from photostyle import WeightsError

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, fetch and verify the weights of the networks."
)

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="A name from the list.", show_default=False)]


@app.command("list")
def list_() -> None:
    """List the networks: what each is for, whether it is in the cache, and whose it is."""
    from rich.console import Console
    from rich.table import Table

    from photostyle import BACKBONES, DEFAULT_BACKBONE, cache_dir, is_cached
    from photostyle.network.vggs import VGGS

    table = Table("Name", "Network", "For", "Cached", "Size", "Licence", box=None, pad_edge=False)
    for name, backbone in BACKBONES.items():
        table.add_row(
            f"{name} (default)" if name == DEFAULT_BACKBONE else name,
            backbone.architecture,
            "transfers" if name in VGGS else "regions",
            "yes" if is_cached(name) else "no",
            f"{backbone.size / 1e6:.0f} MB",
            backbone.licence,
        )
    Console().print(table)
    typer.echo()
    for name, backbone in BACKBONES.items():
        typer.echo(f"{name}: {backbone.attribution}")
    typer.echo(f"\nThe cache is {cache_dir()}; the variable PHOTOSTYLE_CACHE moves it.")


@app.command()
def fetch(name: Name = None) -> None:
    """Fetch weights into the cache and verify them.

    Without NAME, those of the default networks.
    """
    from photostyle.cli.progress import Report
    from photostyle.network.backbones import DEFAULTS

    report = Report()
    for backbone in [name] if name else DEFAULTS:
        typer.echo(f"{backbone} is in {report.fetch(backbone)}.")


@app.command()
def verify(name: Name = None) -> None:
    """Verify weights in the cache to the last byte.

    Without NAME, all that are there.
    """
    from photostyle import BACKBONES, verify_weights

    intact = [backbone for backbone in ([name] if name else BACKBONES) if verify_weights(backbone)]
    if not intact:
        which = f"weights {name!r} are" if name else "weights are"
        raise WeightsError(f"No {which} in the cache; `photostyle weights fetch` gets them.")
    for backbone in intact:
        typer.echo(f"{backbone} is intact.")
