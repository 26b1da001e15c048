"""Build the documentation as a static site in ``build/site``, and see that it needs no other host.

The pages are those of ``docs/`` and of the repository's first folder, with the README as the first
page. Links between the two places are those that readers of the repository follow; in the copy
that the site is made from they are turned into links of the site.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
SOURCE, SITE = BUILD / "site-source", BUILD / "site"  # as mkdocs.yml has them
PAGES = {  # in the repository's first folder → on the site
    "README.md": "index.md",
    "README.ko.md": "index.ko.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "ARCHITECTURE.md": "ARCHITECTURE.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:)([^)\s#]+)(#[^)\s]*)?\)")
CODE = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)
OTHER_LANGUAGE = re.compile(r"^(?:한국어|English): \[.*\]\(.*\)\n+", re.M)  # the site has a menu
PIPE_IN_CODE = re.compile(
    r"(?<=\S)\\\|(?=\S)"
)  # in a table GitHub wants it escaped, MkDocs does not
LOADED = {"src", "poster", "data"}  # attributes whose URL a browser fetches by itself
LOADING = {"link", "use", "image"}  # tags whose ``href`` it fetches
FOREIGN = re.compile(r"(https?:)?//")
IN_STYLE = re.compile(r"(?:url\(|@import )\s*[\"']?((?:https?:)?//[^\"')]+)")


def main() -> None:
    """Ends with status 1 where a link is broken, or a page would ask another host."""
    write_source(SOURCE)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    settings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement
    if status := subprocess.run(command, cwd=ROOT, env=settings, check=False).returncode:
        sys.exit(status)
    if found := sorted({*foreign_requests(SITE), *broken_links(SITE)}):
        sys.exit("\n".join(["asks another host, or leads nowhere:", *found]))
    sys.stdout.write(f"{SITE / 'index.html'}\n")


def write_source(folder: Path) -> None:
    """The pages as MkDocs takes them."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder)
    for name, own in PAGES.items():
        shutil.copy(ROOT / name, folder / own)
    for page in folder.rglob("*.ko.md"):
        english = page.with_name(page.name.replace(".ko.md", ".md")).read_text(encoding="utf-8")
        text = _with_anchors_of(english, page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")
    for page in folder.rglob("*.md"):
        place = page.relative_to(folder).as_posix()
        name = next((name for name, own in PAGES.items() if own == place), f"docs/{place}")
        page.write_text(site_links(page.read_text(encoding="utf-8"), name), encoding="utf-8")


def _with_anchors_of(english: str, text: str) -> str:
    """A translation whose sections can be linked to as those of the English page, too."""
    titles = iter(HEADING.findall(CODE.sub("", english)))

    def anchored(heading: re.Match[str]) -> str:
        return f'<a id="{_anchor(next(titles))}"></a>\n\n{heading[0]}'

    # Only outside of code: there a line that begins with # is a comment.
    parts = re.split(f"({CODE.pattern})", text, flags=CODE.flags)
    return "".join(
        part if part.startswith("```") else HEADING.sub(anchored, part) for part in parts
    )


def _anchor(title: str) -> str:
    """The one that a heading has, on the site as on GitHub."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def site_links(text: str, name: str) -> str:
    """A page with the links that it has to have on the site.

    Args:
        name: of the page, in the repository.
    """
    folder, here = PurePosixPath(name).parent, PurePosixPath(_on_site(name) or "").parent

    def turned(link: re.Match[str]) -> str:
        mark, label, target, anchor = link.groups()
        place = _on_site(normpath(f"{folder}/{target}"))
        if place is None:  # a file of the repository that is no page
            return str(label)
        return f"{mark}[{label}]({relpath(place, str(here))}{anchor or ''})"

    return PIPE_IN_CODE.sub("|", LINK.sub(turned, OTHER_LANGUAGE.sub("", text)))


def _on_site(name: str) -> str | None:
    """Where the site has a file of the repository; None: nowhere."""
    if name in PAGES:
        return PAGES[name]
    return name.removeprefix("docs/") if name.startswith("docs/") else None


def foreign_requests(site: Path) -> Iterator[str]:
    """Each URL of another host that a browser would ask for, with the file that has it."""
    for page in site.rglob("*.html"):
        for url in urls_of(page).fetched:
            if FOREIGN.match(url):
                yield f"{page.relative_to(site)}: {url}"
    for style in site.rglob("*.css"):
        for url in IN_STYLE.findall(style.read_text(encoding="utf-8")):
            if FOREIGN.match(url):
                yield f"{style.relative_to(site)}: {url}"


def broken_links(site: Path) -> Iterator[str]:
    """Each link to a file or heading of the site that is not there, with the page that has it."""
    pages = {page.resolve(): urls_of(page) for page in site.rglob("*.html")}
    for page, urls in pages.items():
        for url in (*urls.fetched, *urls.linked):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc or page.name == "404.html":  # which is for any folder
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            has_heading = target not in pages or unquote(parts.fragment) in pages[target].ids
            if not target.is_file() or (parts.fragment and not has_heading):
                yield f"{page.relative_to(site.resolve())}: {url}"


def urls_of(page: Path) -> Urls:
    """What a page loads, links to, and can be linked to by."""
    reader = Urls()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


class Urls(HTMLParser):
    """The URLs of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []  # by the browser, without a click
        self.linked: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each tag."""
        for name, text in attrs:
            if name == "id":
                self.ids.add(text or "")
            elif name == "srcset":
                self.fetched += [each.split()[0] for each in (text or "").split(",")]
            elif name == "style":
                self.fetched += IN_STYLE.findall(text or "")
            elif name in LOADED or (name == "href" and tag in LOADING):
                self.fetched.append(text or "")
            elif name == "href":
                self.linked.append(text or "")


if __name__ == "__main__":
    main()
