# SPDX-License-Identifier: BSD-2-Clause
"""What the estimators share: options, a training on disk, and the commands that follow from it."""

import contextlib
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from liteformer.accel import golden
from liteformer.accel.decision import decide
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.api.frames import spoken_of, windows_of, write_frame
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.inputs import MODEL, hardware_of, is_run, load_model
from liteformer.flow.measure import hardware
from liteformer.flow.stream.replay import Replay

ON = ("integer", "float", "soc")


class Estimator:
    """A model of one task.

    Args:
        window: rows that the model sees; d_model: channels of a token; bits: of weights and activations, 2 to 8.
        out: folder of the training; a temporary one, which lasts as long as the object, if None. verbose: progress and notes on
        stderr. **options: the other options of `liteformer train`, with ``_`` for ``-``.
    Raises:
        LiteFormerError: there is no such option.
    """

    task: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]      # Options that are arguments of ``fit``.

    def __init__(self, *, window: int = 12, d_model: int = 32, bits: int = 4, out: str | Path | None = None,
                 verbose: bool = True, **options: Any) -> None:
        self._params: dict[str, Any] = {"window": window, "d_model": d_model, "bits": bits, "out": out, "verbose": verbose}
        self.set_params(**options)
        self._model: QuantizedModel | None = None
        self._path: Path | None = None
        self._run: Any = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The options, as scikit-learn wants them."""
        return dict(self._params)

    def set_params(self, **options: Any) -> Self:
        """Change options.

        Raises:
            LiteFormerError: there is no such option.
        """
        from liteformer.train.loop.options import TrainOptions
        known = [name for name in TrainOptions.model_fields if name not in ("task", "path", *self.columns)]
        for name in options:
            if name not in known and name != "verbose":
                where = "an argument of fit()" if name in self.columns else f"no option; there are: {', '.join(known)}"
                raise LiteFormerError(f"{name!r} of {type(self).__name__} is {where}")
        self._params |= options
        return self

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._params.items() if name not in ("out", "verbose"))
        return f"{type(self).__name__}({shown})" + ("" if self._model is None else f"  # {self._model.id[:8]}")

    # Training -------------------------------------------------------------------------------------

    def _fit(self, data: pd.DataFrame | str | Path | None, seeds: int, columns: dict[str, Any]) -> Self:
        from liteformer.flow.runs.train import run_training
        from liteformer.train.loop.options import TrainOptions
        values = {name: value for name, value in self._params.items() if name not in ("out", "verbose")}
        values |= {name: [value] if name in ("target", "features") and isinstance(value, str) else value
                   for name, value in columns.items()} | {"task": self.task}
        kept, folder = None, Path(self._params["out"]) if self._params["out"] else None
        if folder is None:
            kept = tempfile.TemporaryDirectory(prefix="liteformer-")
            folder = Path(kept.name)
        with self._said():
            if isinstance(data, pd.DataFrame):
                with _frame_in(folder, data, values) as file, spoken_of(file):
                    run = run_training(TrainOptions(**values | {"path": str(file), "out": str(folder)}), seeds)
            else:
                run = run_training(TrainOptions(**values | {"path": data if data is None else str(data), "out": str(folder)}),
                                   seeds)
        self._model, self._run, self._path, self._temporary = run.model, run, folder, kept
        return self

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Whatever generators and compilers print goes to stderr, or nowhere."""
        with contextlib.ExitStack() as stack:
            if not self._params["verbose"]:
                stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            stack.enter_context(console.work())
            yield

    # What there is --------------------------------------------------------------------------------

    @property
    def model(self) -> QuantizedModel:
        """The integer model.

        Raises:
            LiteFormerError: not fitted.
        """
        if self._model is None:
            raise LiteFormerError(f"this {type(self).__name__} is not fitted; call fit(), or load() the folder of a training")
        return self._model

    @property
    def path(self) -> Path:
        """Folder of the training, or model file: what the commands take."""
        assert self.model is not None and self._path is not None
        return self._path

    @property
    def run(self) -> Any:
        """The training: networks, data set, predictions (``train.loop.run.Run``).

        Raises:
            LiteFormerError: not fitted; a model file alone; the data of the training are not there any more.
        """
        path = self.path
        if self._run is None:
            from liteformer.flow.runs.evaluate import open_run
            with self._said():
                self._run = open_run(path)
        return self._run

    @property
    def metrics(self) -> dict[str, Any]:
        """Content of metrics.json: errors on the test set, baselines, notes."""
        return dict(json.loads((self.path / "metrics.json").read_text())) if is_run(self.path) else {}

    def save(self, path: str | Path) -> Path:
        """Copy the training into a folder that `load` and every command take.

        Raises:
            LiteFormerError: not fitted, or the folder holds something else.
        """
        source, path = self.path, Path(path)
        if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not (path / MODEL).is_file())):
            raise LiteFormerError(f"{path} exists and holds no model; name another folder")
        if not is_run(source):
            self.model.save(path / MODEL)
            return path
        if path.resolve() == source.resolve():
            return path
        path.mkdir(parents=True, exist_ok=True)
        for file in (file for file in source.iterdir() if file.is_file()):
            shutil.copyfile(file, path / file.name)
        metrics = self.metrics
        if _is_own(metrics["options"].get("path"), source):
            # The data came as a frame and lie in the folder.
            moved = {"path": str(path / Path(metrics["options"]["path"]).name)}
            metrics["options"] |= moved
            write_atomically(path / "metrics.json", json.dumps(metrics, indent=1) + "\n")
            options = self.model.provenance["options"] | moved
            replace(self.model, provenance=self.model.provenance | {"options": options}).save(path / MODEL)
        return path

    @classmethod
    def load(cls, path: str | Path, *, verbose: bool = True) -> Self:
        """A training's folder, or a model file.

        Raises:
            LiteFormerError: there is none, it is damaged, or of another task.
        """
        from liteformer.train.loop.options import TrainOptions
        model = load_model(path)
        if model.config.task != cls.task:
            names = {kind.task: kind.__name__ for kind in Estimator.__subclasses__()}
            raise LiteFormerError(f"{path} is a model of the task {model.config.task}; load it with {names[model.config.task]}")
        options = model.provenance.get("options") or {}
        found = cls(window=model.config.window, d_model=model.config.d_model, verbose=verbose)
        fields = TrainOptions.model_fields
        found.set_params(**{name: value for name, value in options.items() if name in fields and value != fields[name].default
                            and name not in ("task", "path", *cls.columns)})
        found._model, found._path = model, Path(path)
        return found

    # Prediction -----------------------------------------------------------------------------------

    def _answers(self, data: Any, on: str, **options: Any) -> tuple[Replay, pd.Index | None, np.ndarray, np.ndarray]:
        """``(Replay, index, values, decisions)``: float64 ``(N, outputs)``, physical or logits, and int64 ``(N, words)``."""
        if on not in ON:
            raise LiteFormerError(f"on is {on!r}; choose one of: {', '.join(ON)}")
        if options and on != "soc":
            raise LiteFormerError(f"{next(iter(options))} is an option of the simulated SoC; choose on='soc' or leave it out")
        model, config = self.model, self.model.config
        with self._said():
            replay, index = windows_of(model, data)
            for text in replay.notes:
                console.note(text)
            if on == "float":
                return replay, index, self._float(replay.raw), np.zeros((len(replay), 0), np.int64)
            if on == "soc":
                cpu, overrides = hardware_of(self.path, options.pop("cpu", None), **options)
                _, result = hardware.run_soc(model, hardware.compile_model(model, **overrides), replay.raw, cpu or "vexriscv")
                return replay, index, config.physical(result.outputs), result.decisions
            outputs = golden.infer(model, replay.raw)
        return replay, index, config.physical(outputs), decide(config, outputs, replay.raw)

    def _float(self, raw: np.ndarray) -> np.ndarray:
        import torch
        run, config = self.run, self.model.config
        run.network.eval()
        with torch.no_grad():
            parts = torch.as_tensor(raw, dtype=torch.float32).split(1024)
            values = torch.cat([run.network(part) for part in parts]).double().numpy()
        values = values * run.dataset.target_scale + run.dataset.target_mean
        if not run.dataset.persistence:
            return values
        columns = config.target_features
        offset = np.asarray(config.raw_offset or np.zeros(config.features))[columns]
        return values + raw[:, -1, columns] / np.asarray(config.raw_scale)[columns] + offset

    # What the commands do -------------------------------------------------------------------------

    def evaluate(self, soc: int = 0, **options: Any) -> dict[str, Any]:
        """Figures on the test set, as `liteformer evaluate`; soc: windows on the simulated SoC."""
        from liteformer.flow.runs.evaluate import run_evaluation
        with self._said():
            return dict(run_evaluation(self.path, soc, **options))

    def simulate(self, windows: int = 16, **options: Any) -> dict[str, Any]:
        """Windows on the simulated SoC with its firmware, as `liteformer simulate`."""
        from liteformer.flow.runs.simulate import run_simulation
        with self._said():
            return dict(run_simulation(self.path, windows=windows, **options))

    def bench(self, windows: int = 16, **options: Any) -> dict[str, Any]:
        """Cycles, utilization and area of the model's shape with random weights, as `liteformer bench`."""
        from liteformer.flow.runs.bench import run_bench
        config = self.model.config
        names = ("window", "patch", "stride", "features", "outputs", "d_model", "heads", "layers", "ffn", "readout")
        array = ("rows", "columns", "requantizers", "dsp_lanes", "pump")
        overrides = {name: options.pop(name) for name in array if name in options}
        with self._said():
            shape = {name: getattr(config, name) for name in names} | {"bits": max(config.row_bits, config.column_bits)}
            return dict(run_bench(shape, windows=windows, overrides=overrides, **options))

    def build(self, board: str, out: str | Path | None = None, **options: Any) -> dict[str, Any]:
        """A board's project, as `liteformer build`; ``compile_gateware=False`` writes it without the toolchain."""
        from liteformer.flow.project.build import run_build
        with self._said():
            return dict(run_build(self.path, board, out or f"build/{board}", **options))

    def generate(self, out: str | Path, **options: Any) -> dict[str, Any]:
        """The stand-alone core, as `liteformer generate`."""
        from liteformer.flow.project.core import run_generate
        with self._said():
            return dict(run_generate(self.path, out, **options))

    def export(self, format: str, out: str | Path, **options: Any) -> dict[str, Any]:
        """The integer model as "onnx" or "c", as `liteformer export`."""
        from liteformer.flow.runs.export import run_export
        with self._said():
            return dict(run_export(self.path, out, format=format, **options))

    def explain(self, data: Any, windows: int = 128) -> Any:
        """How much each row and feature of a window moves the outputs.

        Args:
            data: as of ``predict``; windows: at most so many of them, evenly spread.
        Returns:
            matplotlib Figure; see ``api.explain``.
        """
        from liteformer.api.explain import draw, influence
        with self._said():
            replay, _ = windows_of(self.model, data)
            replay = replay.first(min(windows, len(replay)), spread=True)
            return draw(self.model, influence(self.model, replay.raw))


def _is_own(path: str | None, folder: Path) -> bool:
    """Whether the data of a training lie in its own folder."""
    return path is not None and Path(path).resolve().parent == folder.resolve()


@contextlib.contextmanager
def _frame_in(folder: Path, frame: pd.DataFrame, values: dict[str, Any]) -> Iterator[Path]:
    """A frame as a file of a training's folder, under a name that says what is in it; removed if the training fails."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        written = Path(temporary) / "frame.csv"
        time = write_frame(frame, written, values.get("timestamp"))
        path = folder / f"data-{hashlib.sha256(written.read_bytes()).hexdigest()[:8]}.csv"
        before = path.exists()
        written.replace(path)
    values |= {"separator": "comma", "decimal": ".", "encoding": "utf-8", "data": "csv"}
    if time is not None:
        values |= {"timestamp": time}
    try:
        yield path
    except BaseException:
        if not before:
            path.unlink(missing_ok=True)
        raise
