"""The pictures of the README are of the console as it is now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "screenshots" / "make.py"


async def test_the_pictures_show_the_console_as_it_is() -> None:
    spec = importlib.util.spec_from_file_location("make", SCRIPT)
    assert spec is not None and spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)

    found = await make.pictures()

    stale = [name for name, svg in found.items() if (SCRIPT.parent / f"{name}.svg").read_text("utf-8") != svg]
    assert not stale, "python screenshots/make.py makes them anew"
    assert {path.stem for path in SCRIPT.parent.glob("*.svg")} == found.keys()
