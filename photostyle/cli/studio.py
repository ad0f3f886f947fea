"""`photostyle studio`: the page that does it all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer


def studio(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on; 0.0.0.0 means all of this computer's.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0 picks a free one.")] = 8487,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="PHOTOSTYLE_PASSWORD",
            metavar="WORD",
            help="Ask visitors for this password; browsers also ask for a name, which may be anything.",
            show_envvar=True,
        ),
    ] = None,
    insecure_open: Annotated[
        bool, typer.Option("--insecure-open", help="Let in everyone who can reach the address.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep uploads and results in this folder; by default they are deleted at the end."
        ),
    ] = None,
    looks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder of looks to choose from, where those that are saved are kept."),
    ] = None,
    segmenter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Have clicks on things answered by a model of the kind SAM 2: a name on the hub, such as "
            "facebook/sam2.1-hiera-tiny (156 MB, fetched once), or a folder.",
        ),
    ] = None,
    most_megabytes: Annotated[int, typer.Option(min=1, metavar="N", help="Refuse larger files.")] = 100,
    most_pixels: Annotated[
        float, typer.Option(min=0.001, metavar="MEGAPIXELS", help="Refuse larger photographs.")
    ] = 60,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open the studio: a page in the browser, served by this computer, to choose, paint, preview and compare."""
    from photostyle import SettingsError, find_device, load_segmenter

    if missing := [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]:
        raise SettingsError(f"The studio needs {' and '.join(missing)}: `pip install 'photostyle[studio]'`.")

    from photostyle.studio.serve import serve
    from photostyle.studio.service import Limits

    def ready(address: str) -> None:
        typer.echo(f"The studio is at {address} (end it with Ctrl+C).")
        if browser:
            import webbrowser

            webbrowser.open(address)

    serve(
        host,
        port,
        ready,
        keep=keep,
        looks=looks,
        segmenter=load_segmenter("learned", model=segmenter, device=find_device("auto")) if segmenter else None,
        password=password,
        is_open=insecure_open,
        limits=Limits(most_megabytes * 1_000_000, most_pixels * 1e6),
    )
