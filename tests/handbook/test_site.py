"""The site is built without a warning, and its pages load nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from handbook.render import ROOT, names


def test_it_is_built_strictly_and_needs_no_network(tmp_path):
    pytest.importorskip("material", reason="mkdocs-material is not installed: no site is built")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for name in names():
        page = (tmp_path / "handbook" / f"{name}.html").read_text(encoding="utf-8")
        assert "<svg" in page or "<img" in page
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*src=\"?([^\" >]+)", page)
        loaded += re.findall(
            r"<link[^>]*rel=\"?(?:stylesheet|preconnect)[^>]*href=\"?([^\" >]+)", page
        )
        assert not [source for source in loaded if source.startswith(("http", "//"))]
