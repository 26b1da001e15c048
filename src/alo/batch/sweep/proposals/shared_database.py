"""The database of a shared sweep: an Optuna study and a lock, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from alo.batch.sweep.proposals.optuna_params import need_optuna
from alo.errors import UsageError
from alo.masking import masked

if TYPE_CHECKING:
    import optuna

HEARTBEAT_S, GRACE_S = 10, 40  # how often a machine says that it is there; without: it is gone
MOST_TRIES = 3  # of a configuration whose machine was gone
SCHEMES = ("postgresql://", "postgres://")
ARGS, AGAIN_OF, TRY = "args", "again_of", "try"  # of a trial


def check_storage(url: str) -> None:
    """See that several machines can work through this database.

    Raises:
        UsageError: it is no PostgreSQL database, or Optuna or psycopg is not installed.
    """
    if not url.startswith(SCHEMES):
        raise UsageError(
            f"--storage {masked(url)}: it has to be a PostgreSQL database",
            fix="write postgresql://USER@HOST/DATABASE",
        )
    need_optuna("--storage", "")
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "--storage needs psycopg, which is not installed",
            fix="pip install 'open-alo[postgres]'",
        ) from error


def without_password(url: str) -> str:
    """As it may be stored; libpq finds a password in ``PGPASSWORD`` or ``~/.pgpass``, too."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    query = "&".join(
        each for each in parts.query.split("&") if not each.lower().startswith("password=")
    )
    netloc = f"{user.partition(':')[0]}{at}{host}"
    return urlunsplit(parts._replace(netloc=netloc, query=query))


class SharedDatabase:
    """The study and the lock, in PostgreSQL."""

    def __init__(self, url: str) -> None:
        need_optuna("--storage", "")
        self._url = url
        self._connection: Any = None
        self._storage: optuna.storages.RDBStorage | None = None

    def study(
        self,
        name: str,
        directions: Any,
        sampler: optuna.samplers.BaseSampler,
    ) -> optuna.Study:
        """The study of this name; made where there is none."""
        import optuna
        from sqlalchemy.engine import make_url

        address = make_url(self._url).set(drivername="postgresql+psycopg")
        self._storage = optuna.storages.RDBStorage(
            address.render_as_string(hide_password=False),
            engine_kwargs={"pool_pre_ping": True},
            heartbeat_interval=HEARTBEAT_S,
            grace_period=GRACE_S,
            heartbeat_stale_trial_callback=_enqueue_again,
        )
        return optuna.create_study(
            storage=self._storage,
            study_name=f"alo-sweep-{name}",
            directions=directions,
            sampler=sampler,
            load_if_exists=True,
        )

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """One machine at a time; the lock of one that was killed is free."""
        import psycopg

        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
        key = (f"alo sweep {name}",)
        self._connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", key)
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # the connection is gone, and the lock with it
                self._connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)

    def beat(self, trials: Iterable[optuna.Trial]) -> None:
        """Say that these trials run."""
        if self._storage is not None:
            for trial in trials:
                self._storage.record_heartbeat(trial._trial_id)

    def close(self) -> None:
        """Cut the connections."""
        if self._connection is not None:
            self._connection.close()
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()


def _enqueue_again(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """A trial whose machine is gone is run by whoever asks next."""
    tries = int(trial.user_attrs.get(TRY, 1))
    if tries < MOST_TRIES and ARGS in trial.user_attrs:
        study.enqueue_trial(
            trial.params,
            user_attrs={
                ARGS: trial.user_attrs[ARGS], AGAIN_OF: trial.number, TRY: tries + 1,
            },
        )  # fmt: skip
