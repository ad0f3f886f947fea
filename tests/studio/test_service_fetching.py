"""Requests that are answered at once, and need a network that is not here: it is fetched first, in sight, as a job."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from asking import Page, file, painted

from photostyle import PhotostyleError
from photostyle.network import weights
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.weights import cached_path


@pytest.fixture
def page(page: Page, fetched: list[str]) -> Page:
    """Its studio has no network yet."""
    return page


def put_by(page: Page, **body: Any) -> tuple[str, dict[str, Any]]:
    """What is said instead of an answer, and the job that is to be waited for."""
    told = page.ask(status=503, **body)
    return told["error"], told["job"]


def test_the_wands_first_click(page: Page, fetched: list[str]) -> None:
    page.ask("PUT", "/photographs/content", content=file())
    click: dict[str, Any] = {"method": "POST", "path": "/select/content", "json": {"inside": [[30, 10]]}}
    sentence, job = put_by(page, **click)
    assert sentence == "A network is fetched first: ask again when that job is done."
    assert job["kind"] == "fetch"
    page.done(job)
    assert fetched == [DEFAULT_BACKBONE]
    for _ in range(2):
        page.ask(**click)
    assert fetched == [DEFAULT_BACKBONE]


def test_clicks_meanwhile_wait_for_the_same_job(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    fill, enough = weights._fill_cache, Event()
    monkeypatch.setattr(weights, "_fill_cache", lambda *values, **_: enough.wait(60) and fill(*values))
    page.ask("PUT", "/photographs/content", content=file())
    click: dict[str, Any] = {"method": "POST", "path": "/select/content", "json": {"inside": [[30, 10]]}}
    jobs = [put_by(page, **click)[1] for _ in range(3)]
    assert len({job["id"] for job in jobs}) == 1
    enough.set()
    page.done(jobs[0])
    page.ask(**click)


def test_a_network_out_of_reach(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PhotostyleError("There is no way to it.")

    monkeypatch.setattr(weights, "_fill_cache", fail)
    page.ask("PUT", "/photographs/content", content=file())
    click: dict[str, Any] = {"method": "POST", "path": "/select/content", "json": {"inside": [[30, 10]]}}
    first = put_by(page, **click)[1]
    assert page.done(first, "failed")["error"] == "There is no way to it."
    assert put_by(page, **click)[1]["id"] != first["id"]  # another try


def test_a_look_taken_along_for_another_photograph(page: Page, fetched: list[str]) -> None:
    painted(page)
    made = page.done(page.ask("POST", "/render", 202, json={"quality": "draft"}))["outcome"]["result"]
    page.ask("POST", "/looks", 201, json={"result": made["id"], "name": "mine"})
    cached_path(DEFAULT_BACKBONE).unlink()
    for format in ("cube", "pack"):  # on the look's own photograph
        page.ask("GET", "/looks/mine/file", params={"format": format})
    page.ask("PUT", "/photographs/content?name=other.png", content=file(5, (48, 72)))
    page.ask("GET", "/looks/mine/file", params={"format": "look"})
    fetched.clear()
    for asked in ({"path": "/looks/mine/holds"}, {"path": "/looks/mine/file", "params": {"format": "cube"}}):
        _, job = put_by(page, method="GET", **asked)
        assert page.done(job)["kind"] == "fetch" and fetched == [DEFAULT_BACKBONE]
        page.ask(method="GET", **asked)
        cached_path(DEFAULT_BACKBONE).unlink()
        fetched.clear()
    page.done(page.ask("POST", "/looks/mine/apply", 202))
    assert fetched == [DEFAULT_BACKBONE]
