# Copyright (C) The wholesale gateway authors

"""What the documents point to is there."""

import re

import pytest

from gateway.documents import Page, page, pages
from gateway.nginx import REPOSITORY


PAGES = pages()

# where alerts lead whom they wake
RUNBOOK = ("credential-not-live", "token-expiring", "refresh-token-expiring",
           "redis-down", "tenant-refused", "error-rate", "gateway-absent")


def test_there_are_pages():
    assert {"README.md", "SECURITY.md"} < {each.name for each in PAGES}
    assert sum(len(each.links) for each in PAGES) > 100


@pytest.mark.parametrize("each", PAGES, ids=repr)
def test_links(each):
    for link in each.links:
        if re.match("[a-z]+:", link):
            assert link.startswith("https://")
            continue

        name, _, anchor = link.partition("#")
        target = (each.path.parent / name).resolve() if name else each.path

        assert target.exists(), link
        assert REPOSITORY in target.parents

        if anchor:
            assert anchor in Page(target).anchors, link


@pytest.mark.parametrize("each", PAGES, ids=repr)
def test_anchors_are_not_shared(each):
    """Two headings that are the same would have GitHub number the second."""

    if each.name != "CHANGELOG.md":
        assert len(each.anchors) == len(set(each.anchors))


def test_every_page_is_found_from_the_front_door():
    links = page("README.md").links

    for each in PAGES:
        assert each.name == "README.md" or each.name in links


def test_the_runbook():
    assert set(RUNBOOK) < set(page("docs/troubleshooting.md").anchors)


def test_every_section_of_the_runbook_is_in_its_contents():
    runbook = page("docs/troubleshooting.md")

    for (level, _, _), anchor in zip(runbook.headings, runbook.anchors):
        if level == 2:
            assert f"(#{anchor})" in runbook.text


def test_what_holds_the_promises():
    """Every row of the promises names tests, all of which there are."""

    promises = [line for line in page("SECURITY.md").section(
        "What is promised").splitlines() if line.startswith("| ")][1:]
    assert len(promises) > 15

    for line in promises:
        tests = re.findall(r"`(test_\w+\.py)::(test_\w+)`", line)
        assert tests, line

        for name, test in tests:
            text = (REPOSITORY / "tests/gateway" / name).read_text()
            assert f"\ndef {test}(" in text, f"{name}::{test}"
