"""Jobs: one at a time, in order, cancelled, estimated and told of."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from asking import Page, both
from PIL import Image

from photostyle import SettingsError, Step
from photostyle.studio.service import MOST_JOBS
from photostyle.studio.worker import Pace, Task, Worker

pytestmark = pytest.mark.usefixtures("small_network")


def test_one_job_runs_and_the_others_know_their_place() -> None:
    worker, go, started = Worker(), threading.Event(), threading.Event()
    order: list[int] = []

    def work(number: int) -> Callable[[Task], dict[str, Any]]:
        def do(task: Task) -> dict[str, Any]:
            started.set()
            assert go.wait(10)
            order.append(number)
            return {}

        return do

    tasks = [Task("test", work(number)) for number in range(3)]
    for task in tasks:
        worker.submit(task)
    assert started.wait(10)
    assert [worker.place(task) for task in tasks] == [0, 1, 2]
    assert [task.state for task in tasks] == ["running", "waiting", "waiting"]
    worker.cancel(tasks[1])
    assert (tasks[1].state, worker.place(tasks[2])) == ("cancelled", 1)
    go.set()
    _until(lambda: tasks[2].is_over)
    worker.close()
    assert order == [0, 2]


def test_cancelling_closes_the_recipe_and_the_next_job_runs() -> None:
    closed = threading.Event()

    def endless() -> Iterator[Step]:
        image = torch.zeros(3, 8, 8)
        try:
            for i in range(10**9):
                yield Step("endless", i, 0, image)
                time.sleep(0.001)
        finally:
            closed.set()

    worker = Worker()
    first = Task("test", lambda task: {"image": task.follow(endless())})  # type: ignore[arg-type]
    second = Task("test", lambda task: {"well": "done"})
    worker.submit(first)
    worker.submit(second)
    _until(lambda: first.iteration > 3)
    worker.cancel(first)
    _until(lambda: second.is_over)
    worker.close()
    assert (first.state, second.state, second.outcome) == ("cancelled", "done", {"well": "done"})
    assert closed.is_set()


def test_a_fault_in_a_job_is_told_and_the_worker_goes_on() -> None:
    def fault(task: Task) -> dict[str, Any]:
        raise ZeroDivisionError("by nothing")

    def wrong(task: Task) -> dict[str, Any]:
        raise SettingsError("Choose another.")

    worker = Worker()
    tasks = [Task("test", fault), Task("test", wrong), Task("test", lambda task: {})]
    for task in tasks:
        worker.submit(task)
    _until(lambda: tasks[2].is_over)
    worker.close()
    assert [task.state for task in tasks] == ["failed", "failed", "done"]
    assert "ZeroDivisionError" in tasks[0].error and tasks[1].error == "Choose another."


def test_the_time_that_is_left_is_known_from_the_last_job_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("photostyle.studio.worker.monotonic", lambda: now)
    task = Task("test", lambda task: {}, expected=[2.0, 8.0, 10.0])
    task.state, task._began = "running", 0.0
    task.enter("one")
    now = 4.0  # twice as slow as the last time
    task.enter("two")
    now = 8.0
    task.iteration, task.of = 1, 4
    part, left = task.left()
    assert part == pytest.approx((2 + 8 / 4) / 20)
    assert left == pytest.approx(2 * (20 - 4))


def test_the_time_that_is_left_is_that_of_the_whole_job_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a part says nothing of what comes after it; and a part without steps goes on by the clock."""
    now = 0.0
    monkeypatch.setattr("photostyle.studio.worker.monotonic", lambda: now)
    task = Task("test", lambda task: {})
    task.state = "running"
    task.enter("128 px")
    now = 6.0
    task.iteration, task.of = 8, 8
    assert task.left()[1] is None
    known = Task("test", lambda task: {}, expected=[4.0, 6.0])
    known.state, known._began = "running", 6.0
    known.enter("one")
    now = 10.0
    known.enter("two")
    now = 13.0
    assert known.left() == (pytest.approx(0.7), pytest.approx(3.0))
    now = 30.0  # longer than expected: nearly done, whatever the clock says
    part, left = known.left()
    assert part < 1 and left is not None and left < 3


def test_a_job_of_another_size_is_a_measure_too() -> None:
    """Where no job was just like it: what depends on the size of the photograph is scaled."""
    worker = Worker()
    first = Task("test", lambda task: {}, Pace(("render", "photo"), pixels=1e6))
    worker.submit(first)
    _until(lambda: first.is_over)
    worker.learn(first.pace, [("128 px", 4.0), ("finishing", 2.0)])
    second = Task("test", lambda task: {}, Pace(("render", "photo"), pixels=3e6))
    worker.submit(second)
    worker.close()
    assert second.expected == [4.0, 6.0]


def test_a_new_preview_takes_the_place_of_the_one_that_waits(page: Page) -> None:
    both(page)
    slow = page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})
    first = page.ask("POST", "/preview", 202, json={})
    second = page.ask("POST", "/preview", 202, json={"recipe": "reinhard"})
    assert page.ask("GET", f"/jobs/{first['id']}")["state"] == "cancelled"
    assert page.ask("GET", f"/jobs/{second['id']}")["before"] == 1
    _until(lambda: page.ask("GET", f"/jobs/{slow['id']}")["live"] > 0)
    assert Image.open(io.BytesIO(page.ask("GET", f"/jobs/{slow['id']}/live.jpg"))).format == "JPEG"
    page.ask("DELETE", f"/jobs/{slow['id']}")
    page.done(slow, "cancelled")
    page.done(second)


def test_a_render_that_is_asked_for_twice_is_made_once(page: Page) -> None:
    """As long as it is not done; another order is another render."""
    both(page)
    slow = page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})
    wish = {"recipe": "reinhard"}
    first, again = (page.ask("POST", "/render", 202, json=wish) for _ in range(2))
    other = page.ask("POST", "/render", 202, json=wish | {"quality": "best"})
    assert first["id"] == again["id"] != other["id"]
    page.ask("DELETE", f"/jobs/{slow['id']}")
    page.done(first)
    page.done(other)
    assert len(page.ask("GET", "")["results"]) == 2


def test_a_render_does_not_wait_for_drafts(page: Page) -> None:
    """A draft is of no use once the whole picture is wanted."""
    both(page)
    slow = page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})
    draft = page.ask("POST", "/preview", 202, json={"recipe": "reinhard"})
    made = page.ask("POST", "/render", 202, json={"recipe": "reinhard"})
    assert made["before"] == 1
    page.done(draft, "cancelled")
    page.ask("DELETE", f"/jobs/{slow['id']}")
    page.done(made)


def test_a_render_finds_regions_if_it_is_to(page: Page) -> None:
    both(page)
    wish = {"recipe": "reinhard"}
    assert not page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]["painted"]
    made = page.done(page.ask("POST", "/render", 202, json=wish | {"find": True}))["outcome"]["result"]
    assert made["painted"] and "--content-regions" in made["command"]
    assert page.ask("GET", "")["regions"]


def test_jobs_fetch_the_networks_that_they_need(fetched: list[str], page: Page) -> None:
    both(page)
    page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))
    assert fetched == []
    page.done(page.ask("POST", "/preview", 202, json={}))
    assert fetched == ["vgg16-hed"]
    page.done(page.ask("POST", "/find", 202))
    assert fetched == ["vgg16-hed", "efficientnet-lite2"]
    page.done(page.ask("POST", "/render", 202, json={"find": True}))
    assert len(fetched) == 2


def test_too_many_jobs_are_refused(page: Page) -> None:
    both(page)
    jobs = [page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})]
    _until(lambda: page.ask("GET", f"/jobs/{jobs[0]['id']}")["state"] == "running")
    jobs += [page.ask("POST", "/render", 202, json={"strength": n / MOST_JOBS}) for n in range(MOST_JOBS)]
    assert "are waiting" in page.ask("POST", "/render", 422, json={})["error"]
    for job in jobs:
        page.ask("DELETE", f"/jobs/{job['id']}")
    for job in jobs:
        page.done(job, "cancelled")


def _until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until, "it never holds"
        time.sleep(0.01)
