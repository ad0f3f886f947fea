"""The studio as a running server: its address, its temporary folder, and its end."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from photostyle import SettingsError
from photostyle.files import make_folder, reason
from photostyle.segment.prompt import Segmenter
from photostyle.studio.app import make_app
from photostyle.studio.guard import Guard
from photostyle.studio.service import LIMITS, Limits
from photostyle.studio.shelf import Shelf
from photostyle.studio.worker import Worker

LOCAL = ("127.0.0.1", "::1", "localhost")


@contextmanager
def studio(
    keep: Path | None = None,
    *,
    looks: Path | None = None,
    segmenter: Segmenter | None = None,
    names: tuple[str, ...] = (),
    password: str | None = None,
    limits: Limits = LIMITS,
) -> Iterator[ASGIApp]:
    """The guarded application; when it ends its jobs are cancelled and, unless there is a folder to keep, its files.

    Looks are kept in the folder `looks`, if there is one; the `segmenter` answers clicks, by default the wand. Raises
    ImageError if a folder cannot be made.
    """
    if looks:
        make_folder(looks)
    shelf = Shelf(looks) if looks else None
    worker = Worker()
    try:
        if keep:
            make_folder(keep)
            yield Guard(make_app(keep, worker, limits, shelf, segmenter), names, password)
        else:
            with tempfile.TemporaryDirectory(prefix="photostyle-studio-", ignore_cleanup_errors=True) as folder:
                yield Guard(make_app(Path(folder), worker, limits, shelf, segmenter), names, password)
                worker.close()  # before its folder goes
    finally:
        worker.close()


def serve(
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    keep: Path | None = None,
    looks: Path | None = None,
    segmenter: Segmenter | None = None,
    password: str | None = None,
    is_open: bool = False,
    limits: Limits = LIMITS,
) -> None:
    """Run until it is interrupted; `ready` is told the address of the page.

    Port 0 is any that is free. Raises SettingsError for an address that cannot be used, or one that others can reach
    without a password, unless `is_open`.
    """
    if host not in LOCAL and not password and not is_open:
        raise SettingsError(
            f"Others could use the studio at {host}: give it a --password, or say --insecure-open if that is wanted."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)  # from now on a browser can come, and waits for the first answer
        except OSError as error:
            raise SettingsError(f"The studio cannot use {host}, port {port} ({reason(error)}): try another.") from error
        shown = f"[{host}]" if ":" in host else host
        names = (host, socket.gethostname())
        with studio(keep, looks=looks, segmenter=segmenter, names=names, password=password, limits=limits) as app:
            config = uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
            )
            ready(f"http://{shown}:{listener.getsockname()[1]}/")
            uvicorn.Server(config).run([listener])
