"""The handbook's pages as a terminal shows them; `make handbook` writes them."""

from __future__ import annotations

from importlib.resources import files

from surefoot.errors import InputError, nearest

_FOLDER = "pages"


def topics() -> dict[str, str]:
    """Return each page's name with its title.

    >>> topics()["momentum"]
    'Why momentum'
    """
    found = (files("surefoot.handbook") / _FOLDER).iterdir()
    names = sorted(entry.name.removesuffix(".md") for entry in found if entry.name.endswith(".md"))
    return {name: _read(name).partition("\n")[0].removeprefix("# ") for name in names}


def page(name: str) -> str:
    """Return a page as Markdown.

    Raises:
        InputError: there is no such page; the message names the nearest.

    >>> page("momentum").splitlines()[0]
    '# Why momentum'
    """
    known = topics()
    if name not in known:
        raise InputError(
            f"the handbook has no page {name!r}{nearest(name, known)} (there are: "
            f"{', '.join(known)})"
        )
    return _read(name)


def _read(name: str) -> str:
    path = files("surefoot.handbook") / _FOLDER / f"{name}.md"
    return path.read_text(encoding="utf-8")
