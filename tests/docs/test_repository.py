"""The repository itself: what setup.py installs is what the folders hold."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_package_folder_is_mapped():
    """A folder with ``__init__.py`` that setup.py does not map is missing from an installation."""
    mapped = set(re.findall(r'"liteformer\.[\w.]+": "([\w/]+)"', (ROOT / "setup.py").read_text()))
    folders = {str(p.parent.relative_to(ROOT)) for top in ("accel", "soc", "sw", "train", "boards", "flow")
               for p in (ROOT / top).rglob("__init__.py")}
    assert folders == mapped
