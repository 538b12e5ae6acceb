# SPDX-License-Identifier: BSD-2-Clause
"""The search itself: Optuna proposes points and stores them, so that an interrupted exploration can resume."""

import fcntl
import itertools
import json
import random
import sqlite3
import warnings
from contextlib import contextmanager
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.explore.space import size

DATABASE, LOCK = "study.db", ".lock"
REPEATS = 10  # Proposals of known points in a row before one is drawn at random.
SETTINGS, POINT, RESULT, CONSTRAINT = "liteformer", "point", "result", "fits"


def import_optuna():
    """The module.

    Raises:
        LiteFormerError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise LiteFormerError("Optuna is not installed; in LiteFormer's folder run pip install '.[explore]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    return optuna


def default_storage(out):
    """Storage URL of an exploration's directory."""
    return f"sqlite:///{Path(out).resolve() / DATABASE}"


@contextmanager
def alone(out):
    """Keeps a second exploration out of the directory.

    Raises:
        LiteFormerError: one is running there.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise LiteFormerError(f"{out} is a file, not a directory; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LiteFormerError(f"an exploration is running in {out}; wait for it, or give each its own --out and all of "
                                  "them one --storage to search together") from None
        try:
            yield
        finally:
            if [path.name for path in out.iterdir()] == [LOCK]:  # It was not used.
                (out / LOCK).unlink()
                out.rmdir()


def _storage(optuna, url, shown):
    """Storage at a URL; an SQLite file gets a write-ahead journal, so that readers and a crash are safe."""
    try:
        if not url.startswith("sqlite:"):
            return optuna.storages.get_storage(url)
        from sqlalchemy.engine import make_url

        file = make_url(url).database

        def connect():
            connection = sqlite3.connect(file, timeout=60, check_same_thread=False)
            # With the write-ahead journal this loses nothing but the last points, and only if the power fails.
            for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
                connection.execute(f"PRAGMA {setting}")
            return connection

        return optuna.storages.RDBStorage(url, engine_kwargs={"creator": connect})
    except Exception as error:  # From SQLAlchemy, the driver or Optuna, depending on the URL.
        raise LiteFormerError(f"the storage {shown} cannot be opened ({str(error).splitlines()[0]}); name another "
                              "--storage, or remove the file to start again") from None


class Exploration:
    """An Optuna study with its settings.

    Attributes:
        settings: dict; study: optuna.Study.
    """

    def __init__(self, optuna, study, settings, local):
        self._optuna, self.study, self.settings, self._local, self._open = optuna, study, settings, local, {}
        self._random = random.Random(len(study.get_trials(deepcopy=False)))

    @classmethod
    def open(cls, out, storage=None, name="liteformer", settings=None, seed=1):
        """Open an exploration, or create it.

        Args:
            out: directory; storage: URL or None for a database in ``out``; name: of the study; settings: dict of the new
                exploration, None to read only; seed: of the sampler.
        Raises:
            LiteFormerError: there is none to read, or one with other settings.
        """
        optuna = import_optuna()
        url, local = storage or default_storage(out), storage is None
        if settings is None and local and not (Path(out) / DATABASE).is_file():
            raise LiteFormerError(f"there is no exploration in {out}; `liteformer explore --out {out}` makes one")
        opened = _storage(optuna, url, storage or Path(out) / DATABASE)
        names = {study.study_name for study in optuna.get_all_study_summaries(opened)}
        place = f"{storage or Path(out) / DATABASE}"
        if settings is None:
            if name not in names:
                held = ", ".join(sorted(names)) or "none"
                raise LiteFormerError(f"{place} holds no study {name!r} but {held}; check --study")
            study = optuna.load_study(study_name=name, storage=opened)
        elif name in names:
            study = optuna.load_study(study_name=name, storage=opened)
        else:
            study = optuna.create_study(study_name=name, storage=opened, load_if_exists=True,
                                        directions=["minimize"] * len(settings["objectives"]))
            study.set_user_attr(SETTINGS, settings)
        found = study.user_attrs.get(SETTINGS)
        if found is None:
            raise LiteFormerError(f"the study {name!r} in {place} was not made by this command; name another --study")
        if settings is not None and json.loads(json.dumps(settings)) != found:
            raise LiteFormerError(f"{place} belongs to another exploration: {_difference(settings, found)}; repeat its "
                                  "options, or name another --out or --study")
        exploration = cls(optuna, study, found, local)
        # A sampler restarted with the same seed would propose the same points again.
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.get_trials(deepcopy=False)), multivariate=True)
        return exploration

    def clear_interrupted(self):
        """Trials that a killed run left open count as failed; only if no other run can own them."""
        if self._local:
            for trial in self.study.get_trials(deepcopy=False, states=[self._optuna.trial.TrialState.RUNNING]):
                self.study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL)

    def start_with(self, points):
        """Have these points evaluated first, those that lie in the space and were not proposed before."""
        axes = self.settings["axes"]
        for point in points:
            point = {name: point.get(name) for name in axes}
            if all(value in axes[name] for name, value in point.items()):
                self.study.enqueue_trial(point, skip_if_exists=True)

    def ask(self):
        """A new trial at a point that was not proposed before: ``(number, point)``; None if there is no such point left."""
        axes, seen = self.settings["axes"], self._seen()
        distributions = {name: self._optuna.distributions.CategoricalDistribution(values) for name, values in axes.items()
                         if len(values) > 1}
        if len(seen) >= size(axes):
            return None
        for attempt in itertools.count(1):
            if attempt > REPEATS:  # The sampler has converged: take another point instead of the same one.
                self.study.enqueue_trial({name: self._random.choice(values) for name, values in axes.items()})
            trial = self.study.ask(distributions)
            point = {name: trial.params.get(name, values[0]) for name, values in axes.items()}
            if tuple(point.values()) not in seen:
                break
            self.study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        trial.set_user_attr(POINT, point)
        self._open[trial.number] = trial
        return trial.number, point

    def _seen(self):
        """Points that are evaluated or being evaluated, as tuples in the axes' order."""
        running = self._optuna.trial.TrialState.RUNNING
        return {tuple(trial.user_attrs[POINT][name] for name in self.settings["axes"])
                for trial in self.study.get_trials(deepcopy=False)
                if POINT in trial.user_attrs and (trial.state == running or RESULT in trial.user_attrs)}

    def tell(self, number, result, columns):
        """Store a result of ``evaluate``; None for a point that was interrupted.

        Args:
            columns: of the objectives, in the study's order.
        """
        states, trial = self._optuna.trial.TrialState, self._open.pop(number)
        if result is None:
            self.study.tell(number, state=states.FAIL)
            return
        trial.set_user_attr(RESULT, result)
        if result["state"] == "failed":
            self.study.tell(number, state=states.FAIL)
            return
        trial.set_constraint(CONSTRAINT, result.get("excess", 0.0))
        if result["state"] == "infeasible":
            self.study.tell(number, state=states.PRUNED)
        else:
            self.study.tell(number, [result["figures"][name] for name in columns])

    def taken(self):
        """Points that are evaluated or being evaluated."""
        return len(self._seen())

    def rows(self):
        """All evaluated trials: list of dicts ``number``, ``state``, ``reason``, ``point``, ``figures``."""
        return [{"number": trial.number, "point": trial.user_attrs[POINT], "reason": None, **trial.user_attrs[RESULT]}
                for trial in self.study.get_trials(deepcopy=False) if RESULT in trial.user_attrs]


def _difference(settings, found):
    """The first setting that differs, in words."""
    for name, value in json.loads(json.dumps(settings)).items():
        other = found.get(name)
        if value == other:
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            return _difference(value, other)

        def show(item):
            return ",".join(map(str, item)) if isinstance(item, list) else str(item)
        return f"{name} is {show(other)} there, {show(value)} here"
    return "it has settings that are not given here"
