"""git runs nothing of a repository, is not led elsewhere, and ends when it has to."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.layout import Workspace
from alo.sources.git.clones import Clone
from alo.sources.git.command import Git

from ..repositories import Repository
from .conftest import Bring, step

pytestmark = pytest.mark.usefixtures("cache")


def test_passwords_are_never_reported(workspace: Workspace, bring: Bring) -> None:
    with pytest.raises(SourceError) as caught:
        bring(step("https://me:secret@127.0.0.1:9/x.git"))

    assert "secret" not in str(caught.value)
    assert "https://127.0.0.1:9/x.git" in str(caught.value)


def test_nothing_of_a_repository_is_run(
    workspace: Workspace, repository: Repository, bring: Bring, tmp_path: Path
) -> None:
    hook = repository.folder / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    repository.commit({".gitattributes": "* filter=evil\n", ".gitmodules": ""})
    repository.git("config", "filter.evil.smudge", f"touch {tmp_path}/ran")

    bring(step(repository.folder))

    assert not (tmp_path / "ran").exists()


def test_the_variables_of_a_git_hook_do_not_lead_elsewhere(
    repository: Repository, bring: Bring, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")

    bring(step(repository.folder))

    assert (workspace.asset("train") / "asset_train.py").is_file()


def test_git_that_runs_is_ended_by_an_interrupt(tmp_path: Path) -> None:
    import socket
    import threading

    server = socket.create_server(("127.0.0.1", 0))  # takes connections and says nothing
    git = Git()

    def stop_once_it_asks() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(100)
            git.stop()
            connection.recv(100)  # until git has ended

    thread = threading.Thread(target=stop_once_it_asks)
    thread.start()
    url = f"git://127.0.0.1:{server.getsockname()[1]}/x"

    with pytest.raises(SourceError):
        Clone(url, git, tmp_path / "clones").bring("main")

    thread.join()
    server.close()
