"""The static site has every page, and what would make it ask another host is found."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make_site() -> ModuleType:
    spec = spec_from_file_location("make_site", ROOT / "scripts/make_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_menu_has_every_page(make_site: ModuleType) -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    docs = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    pages = {name for name in (docs | set(make_site.PAGES.values())) if ".ko." not in name}

    assert set(re.findall(r"^ +- .*?([\w./-]+\.md)$", config, re.M)) == pages


@pytest.mark.parametrize(
    ("page", "text", "turned"),
    [
        ("README.md", "[G](docs/guides/runs/data.md#a)", "[G](guides/runs/data.md#a)"),
        ("README.md", "![P](docs/images/p.svg)", "![P](images/p.svg)"),
        ("README.md", "[License](LICENSE)", "License"),
        ("docs/guides/runs/data.md", "[R](../../../README.md)", "[R](../../index.md)"),
        ("docs/guides/runs/data.md", "[E](../../../examples/digits/make_data.py)", "E"),
        ("docs/guides/runs/data.md", "[S](#here), [U](https://u.org/a)", None),
        ("docs/guides/runs/data.ko.md", "English: [data.md](data.md)\n\nText", "Text"),
        ("docs/reference/a.md", "| `A\\|B` | x |", "| `A|B` | x |"),
    ],
)
def test_links_are_those_of_the_site(
    make_site: ModuleType, page: str, text: str, turned: str | None
) -> None:
    assert make_site.site_links(text, page) == (text if turned is None else turned)


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [
        ("a.html", '<script src="https://cdn.org/x.js"></script>', True),
        ("a.html", '<link rel="stylesheet" href="//fonts.org/x.css">', True),
        ("a.html", '<img srcset="a.png 1x, https://cdn.org/b.png 2x">', True),
        ("a.html", '<p style="background: url(https://cdn.org/b.png)">', True),
        ("a.css", "@import 'https://fonts.org/x.css';", True),
        ("a.html", '<a href="https://semver.org/">SemVer</a>', False),
        ("a.html", '<script src="assets/x.js"></script>', False),
        ("a.css", "p { background: url(x.png) }", False),
    ],
)
def test_what_would_ask_another_host_is_found(
    make_site: ModuleType, tmp_path: Path, name: str, text: str, is_found: bool
) -> None:
    (tmp_path / name).write_text(text)

    assert bool(list(make_site.foreign_requests(tmp_path))) is is_found


def test_a_link_that_leads_nowhere_is_found(make_site: ModuleType, tmp_path: Path) -> None:
    links = "".join(
        f'<a href="{url}">' for url in ("b.html", "b.html#c", "#d", "sub/", "b.html#x", "gone.html")
    )
    (tmp_path / "a.html").write_text(f'<p id="d">{links}')
    (tmp_path / "b.html").write_text('<p id="c">')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/index.html").touch()

    found = [each.partition(": ")[2] for each in make_site.broken_links(tmp_path)]

    assert found == ["b.html#x", "gone.html"]


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="the extra docs is not installed")
def test_the_site_is_built() -> None:
    command = [sys.executable, str(ROOT / "scripts/make_site.py")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
