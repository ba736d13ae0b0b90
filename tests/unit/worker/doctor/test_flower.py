"""Flower: what its answer means."""

import json

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.flower import is_web_address, judge_answer


def page(**workers: bool) -> bytes:
    rows = [{"hostname": name, "status": online, "pid": 7} for name, online in workers.items()]
    return json.dumps({"data": rows}).encode()


@pytest.mark.parametrize(
    ("status", "body", "judged", "text"),
    [
        (200, page(one=True, two=True, gone=False), "ok", "sees 2 workers: one, two"),
        (200, page(gone=False), "warning", "it answers, and sees no worker"),
        (200, page(), "warning", "it answers, and sees no worker"),
        (200, b"<html>", "failed", "this is no Flower (status 200)"),
        (200, b"[]", "failed", "this is no Flower (status 200)"),
        (404, page(one=True), "failed", "this is no Flower (status 404)"),
        (401, b"", "failed", "it wants a login (status 401)"),
        (302, b"", "failed", "it wants a login (status 302)"),
    ],
)
def test_flower_must_answer_and_should_see_workers(status: int, body: bytes, judged: Status, text: str) -> None:
    found = judge_answer(status, body)
    assert (found.status, found.found) == (judged, text)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://127.0.0.1:5555", True),
        ("https://ada:hunter2@flower.example.com/flower/", True),
        ("flower.example.com:5555", False),
        ("ftp://flower.example.com", False),
        ("http://", False),
        ("http://flower.example.com:port", False),
        ("http://[broken", False),
        ("http://ada:hun#ter2@flower.example.com", False),
        ("http://flower.example.com?x=1", False),
    ],
)
def test_only_a_plain_web_address_is_taken(url: str, good: bool) -> None:
    assert is_web_address(url) is good
