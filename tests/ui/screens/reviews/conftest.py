"""A review in a studio, and the people who decide in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from tests.review.conftest import create_review
from tests.ui.conftest import Browse, MakeStudio

from alo.review.rows import Review
from alo.ui.studio import Studio

PASSWORD = "long enough"  # noqa: S105
PEOPLE = {
    "ada": "reviewer",
    "bob": "reviewer",
    "cy": "reviewer",
    "olga": "operator",
    "vic": "viewer",
}


@pytest.fixture
def team(make_studio: MakeStudio) -> Studio:
    """A studio with reviewers, an operator and a viewer."""
    studio = make_studio()
    for name, role in PEOPLE.items():
        studio.people.add(name, role, PASSWORD)
    return studio


@pytest.fixture
def review(team: Studio) -> Review:
    """Ten records, of which four are in the queue by chance."""
    return create_review(team.database)


As = Callable[[str], httpx.Client]


@pytest.fixture
def server(team: Studio, browse: Browse) -> httpx.Client:
    """A browser of nobody."""
    return browse(team)


@pytest.fixture
def as_person(team: Studio, server: httpx.Client) -> Iterator[As]:
    """``as_person("ada")``: a script with a token of this person."""
    with ExitStack() as opened:

        def script(name: str) -> httpx.Client:
            token = team.people.add_token(f"of-{name}", PEOPLE[name], name)
            client = httpx.Client(
                base_url=server.base_url,
                headers={"Host": "127.0.0.1:8811", "Authorization": f"Bearer {token}"},
                timeout=server.timeout,
            )
            return opened.enter_context(client)

        yield script


@pytest.fixture
def ada(as_person: As, review: Review) -> httpx.Client:
    """A reviewer."""
    return as_person("ada")


@pytest.fixture
def bob(as_person: As, review: Review) -> httpx.Client:
    """Another one."""
    return as_person("bob")
