"""Who is let in: host, origin, token, and what can be named at all."""

from __future__ import annotations

import json

import pytest

from .conftest import PORT, TOKEN, make_run

OWN = f"http://127.0.0.1:{PORT}"
ASK = {"origin": OWN, "x-surefoot-token": TOKEN}


def test_the_page_and_all_that_it_is_made_of_is_served_with_the_token(client):
    page = client.get(f"/{TOKEN}/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    names = ("report.css", "live.css", "echarts.min.js", "chart-options.js", "charts.js")
    for name in (*names, "live.js", "parts.js", "list.js", "run.js"):
        assert client.get(f"/{TOKEN}/assets/{name}").status_code == 200, name


@pytest.mark.parametrize(
    "path", ["", "/", "/runs", "/events", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/runs", "/%00/", "/é/"]
)
def test_without_the_token_nothing_is_said(client, path):
    refused = client.get(path)
    assert refused.status_code == 403
    assert "token" in refused.text
    assert "deep" not in refused.text


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", f"127.0.0.1.evil.example:{PORT}", "127.0.0.1"]
)
def test_another_host_is_refused_even_with_the_token(client, host):
    assert client.get(f"/{TOKEN}/runs", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_another_page_is_refused_even_with_the_token(client, headers):
    assert client.get(f"/{TOKEN}/runs", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": OWN},
        {"x-surefoot-token": TOKEN},
        {**ASK, "origin": "http://evil.example"},
        {**ASK, "x-surefoot-token": "wrong"},
    ],
)
def test_a_change_needs_the_token_in_a_header_and_our_own_origin(client, headers):
    body = json.dumps({"name": "a", "stop": True})
    assert client.post(f"/{TOKEN}/control", content=body, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "name",
    ["../outside", "a/../../outside", "/etc", "%2e%2e/outside", "link", "a/", ".", "", "a\x00"],
)
def test_only_runs_under_the_folder_can_be_named(client, root, name):
    outside = make_run(root.parent / "outside")
    (root / "link").symlink_to(outside)
    for path in ("run", "compare"):
        refused = client.get(f"/{TOKEN}/{path}", params={"name": name})
        assert refused.status_code == 404, refused.text
        assert set(refused.json()) == {"error"}


def test_files_that_lead_out_of_the_folder_are_not_read(client, root):
    secret = root.parent / "secret"
    secret.write_text("[secret]\nword = 1\n")
    (root / "a" / "recipe.toml").unlink()
    (root / "a" / "findings.json").unlink()
    make_run(root / "d")
    for name, target in (("recipe.toml", secret), ("findings.json", secret)):
        (root / "d" / name).unlink()
        (root / "d" / name).symlink_to(target)
    (root / "c" / "metrics.parquet").unlink()
    (root / "c" / "metrics.parquet").symlink_to(root.parent / "runs" / "a" / "metrics.parquet")
    names = {row["name"] for row in client.get(f"/{TOKEN}/runs").json()}
    assert names == {"deep/b", "c", "dead <script>"}  # a recipe that is a link is none
    told = client.get(f"/{TOKEN}/run", params={"name": "c"})
    assert "loss" not in {chart["name"] for chart in told.json()["charts"]}


@pytest.mark.parametrize(
    "name", ["..%2f..%2fapp.py", "../app.py", "app.py", "%2e%2e", "live.css%00"]
)
def test_no_other_file_is_ever_sent(client, name):
    assert client.get(f"/{TOKEN}/assets/{name}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[]", 400),
        ("{" * 9000, 400),
        ("x" * 20_000, 413),
        ('{"name": "nope", "stop": true}', 404),
        ('{"name": "a", "stop": true}', 409),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(client, body, status):
    answer = client.post(f"/{TOKEN}/control", content=body, headers=ASK)
    assert answer.status_code == status
    assert len(answer.json()["error"].splitlines()) == 1
