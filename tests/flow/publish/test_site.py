# SPDX-License-Identifier: BSD-2-Clause
"""`make site`: every link leads somewhere, no page complains in a browser, and each fits a phone."""

import doctest
import functools
import http.server
import re
import threading
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest

from liteformer.flow.publish import site
from liteformer.flow.publish.repository import ROOT

from ...browser import Browser, chromium
from ...refusal import refusal

PHONE = 390
needs_mkdocs = pytest.mark.skipif(find_spec("mkdocs") is None or find_spec("material") is None,
                                  reason="the extra site is not installed; `make site` installs it")


def test_every_link_of_every_page_has_its_file():
    assert sum(len(site.linked(page)) for page in site.pages()) > 60


def test_a_dead_link_is_seen(tmp_path, monkeypatch):
    """Negative control."""
    (tmp_path / "a.md").write_text("See [this](b.md), `[no](link.md)`.\n\n```\n[no](link.md)\n```\n")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    assert refusal(site.linked, Path("a.md")) == "a.md links to b.md, which does not exist; correct the link"


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert listed == {str(page) for page in site.pages()} | {"docs/api.md", "docs/gallery.md"}


def test_the_interface_by_name():
    text = site.interface()
    assert "## Forecaster\n" in text and "### Classifier.decision_function\n" in text and "predict(self, data: Any" in text
    assert "### QuantTransformer.from_float" in text and "_fit" not in text


def test_examples_of_docstrings():
    assert doctest.testmod(site).failed == 0


def test_mkdocs_that_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mkdocs.commands.build", None)
    assert refusal(site.build_site) == "MkDocs is not installed; `make site` does it, or pip install '.[site]'"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder of the site."""
    folder = tmp_path_factory.mktemp("site")
    site.build_site(folder / "source", folder / "site")
    return folder / "site"


def targets(page):
    """Addresses in a page that are of the site itself, without those of scripts."""
    found = re.findall(r'(?:href|src)="([^"]+)"', page.read_text())
    return {address for address in found if not re.match(r"[a-z]+:|//|javascript", address)}


@needs_mkdocs
@pytest.mark.slow
def test_every_address_is_there(built):
    """Pages, pictures and the places inside pages."""
    count, dead = 0, []
    for page in built.rglob("*.html"):
        if page.name == "404.html":     # Its addresses are those of the server's root.
            continue
        for address in targets(page):
            path, _, place = unquote(address).partition("#")
            path, _, _ = path.partition("?")
            file = (page.parent / path).resolve() if path else page
            file = file / "index.html" if file.is_dir() else file
            count += 1
            if not file.is_file() or (place and f'id="{place}"' not in file.read_text() and place != "__codelineno"):
                dead.append((page.name, address))
    assert count > 1000 and not [entry for entry in dead if not entry[1].startswith("#__")]


@needs_mkdocs
@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="no Chromium; make setup installs it")
def test_every_page_in_a_browser(built, tmp_path):
    """Served, on a desk and on a phone: nothing complained about, nothing wider than the screen, all pictures shown."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(built))
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Browser(tmp_path) as browser:
            for page in sorted(built.rglob("*.html")):
                for width in (1280, PHONE):
                    address = f"http://127.0.0.1:{server.server_port}/{page.relative_to(built)}"
                    seen = browser.open(address, width)
                    assert seen["errors"] == [], (page.name, width)
                    assert seen["width"] <= width, (page.name, width)
                    assert all(complete and wide > 0 for complete, wide, *_ in seen["images"]), page.name
                    assert all(asked.startswith("http://127.0.0.1") for asked in seen["requests"])
    finally:
        server.shutdown()
