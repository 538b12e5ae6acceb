# SPDX-License-Identifier: BSD-2-Clause
"""The pages of this repository as a static site in build/site: `make site`.

The pages keep their folders, so that their links hold; two more are written: the Python interface by name, and all pictures.
"""

import inspect
import re
import shutil
import sys
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.publish.repository import ROOT

SOURCE, SITE = ROOT / "build" / "site-source", ROOT / "build" / "site"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
STYLE = """/* Tables of figures take the page's width, without a least one for each column. */
.md-grid { max-width: 80rem; }
.md-typeset table:not([class]) { font-size: .62rem; }
.md-typeset table:not([class]) th { min-width: 0; }
.md-typeset table:not([class]) td, .md-typeset table:not([class]) th { padding: .5em .7em; }
"""
# Of what `import liteformer` offers, in the order of the page.
NAMES = ("Forecaster", "Classifier", "AnomalyDetector", "Transformer", "QuantTransformer", "QuantizedModel")


def pages():
    """Paths of all pages, relative to the repository."""
    own = [Path(name) for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")]
    return own + sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))


def linked(page):
    """Files of the repository that a page links to, without other pages; list of ``(text, Path, is a picture)``.

    Raises:
        LiteFormerError: a file is not there.
    """
    found = []
    for mark, text, target, _ in LINK.findall(_prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (ROOT / page.parent / target).resolve()
        if not path.is_file():
            raise LiteFormerError(f"{page} links to {target}, which does not exist; correct the link")
        found.append((text, path.relative_to(ROOT), bool(mark)))
    return found


def _prose(page):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)


def collect(folder):
    """Copy the pages, and what they link to, into a folder, and write the pages that the repository lacks."""
    shutil.rmtree(folder, ignore_errors=True)
    gallery = ["# Gallery", ""]
    for page in pages():
        for text, path, picture in linked(page):
            _copy(path, folder)
            if picture:
                gallery += [f"## {text or path.stem}", "", f"![{text}](../{path})", "", f"From [{page}](../{page}).", ""]
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(spaced((ROOT / page).read_text()))
    (folder / "docs" / "gallery.md").write_text("\n".join(gallery))
    (folder / "docs" / "api.md").write_text(interface())
    (folder / "site.css").write_text(STYLE)


def _copy(path, folder):
    if path.suffix != ".md":
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, folder / path)


def spaced(text):
    """A page with an empty line before each list, which GitHub's Markdown does not need and this one does.

    >>> spaced("as follows:\\n- one\\n- two")
    'as follows:\\n\\n- one\\n- two'
    """
    return re.sub(r"(?m)^(?!\s*([-*]|\d+\.) |\s*$|  )(.+)\n(?=(?:-|\*|\d+\.) )", r"\2\n\n", text)


def interface():
    """Markdown of the public names with their docstrings."""
    import liteformer
    lines = ["# The Python interface, by name", "", "From the docstrings; [python.md](python.md) explains.", ""]
    for name in NAMES:
        kind = getattr(liteformer, name)
        lines += [f"## {name}", "", *_entry(f"liteformer.{name}", kind)]
        for method, member in inspect.getmembers(kind):
            if method.startswith("_") or not _is_ours(member) or not inspect.getdoc(member):
                continue
            lines += [f"### {name}.{method}", "", *_entry(method, member)]
    return "\n".join(lines)


def _is_ours(member):
    function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.isfunction(function) and (function.__module__ or "").startswith("liteformer.")


def _entry(name, member):
    """Signature and docstring as a block of text."""
    try:
        signature = "" if isinstance(member, property) else str(inspect.signature(member))
        signature = re.sub(r"\b(liteformer|pathlib|typing|pandas|numpy)\.([\w.]*\.)?", "", signature)
    except (TypeError, ValueError):
        signature = ""
    return ["```text", f"{name}{signature}", "", *inspect.getdoc(member).splitlines(), "```", ""]


def build_site(source=SOURCE, site=SITE):
    """Collect the pages and let MkDocs build them.

    Args:
        source: folder for the pages, overwritten; site: folder of the result, overwritten.
    Raises:
        LiteFormerError: MkDocs is not installed, or a link leads nowhere.
    """
    try:
        from mkdocs.commands.build import build
        from mkdocs.config import load_config
        from mkdocs.exceptions import Abort
    except ImportError:
        raise LiteFormerError("MkDocs is not installed; `make site` does it, or pip install '.[site]'") from None
    collect(source)
    try:
        build(load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(source), site_dir=str(site)))
    except Abort as error:
        raise LiteFormerError(f"the site has dead links ({error}); correct what MkDocs names above") from None


def main():
    """Build the site in build/site."""
    build_site()
    console.note(f"open {SITE.relative_to(ROOT)}/index.html, or serve it: {Path(sys.executable).name} -m http.server -d {SITE}")


if __name__ == "__main__":
    with console.sentences():
        main()
