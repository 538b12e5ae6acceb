# SPDX-License-Identifier: BSD-2-Clause
"""`make results`: docs/results.md, its plots and README.md's table of accuracy, from the metrics in docs/results/metrics."""

import json
import textwrap

from matplotlib.figure import Figure

from liteformer.flow.common import console
from liteformer.flow.common.cache import whole_file, write_atomically
from liteformer.flow.common.markdown import fill, markdown
from liteformer.flow.publish.repository import ROOT
from liteformer.flow.publish.results_train import BITS, METRICS, SHAPES, WEEK, entries
from liteformer.train.metrics.intervals import centre
from liteformer.train.metrics.plots import plain_logarithmic

PAGE, README = ROOT / "docs" / "results.md", ROOT / "README.md"
PLOTS = ROOT / "docs" / "results"
PAPER = {("airu", 6, 64, 8): 3.506, ("airu", 12, 64, 6): 3.763, ("airu", 12, 32, 4): 5.474}
TITLES = {"airu": "AirU: ozone, ppb", "pems": "PeMS stand-in: speed, mph"}
READOUTS = ("last", "mean")
TARGETS = [  # Targets: source, window, d_model, bits, readout, largest mean RMSE or None, largest ratio or None.
    ("airu", 12, 32, 4, "last", 3.8, 1.05), ("airu", 12, 32, 4, "mean", 4.0, 1.08), ("airu", 12, 64, 6, "last", 3.65, None),
    ("airu", 6, 64, 8, "last", 3.75, None), ("pems", 12, 32, 4, "last", 2.0, None)]


def load(folder=METRICS):
    """Stored metrics by name; files that are not an entry of the page are omitted."""
    names = [name for name, _ in entries()]
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names if (folder / f"{name}.json").exists()}


def _key(metrics):
    options = metrics["options"]
    return options["data"], options["window"], options["d_model"], options["bits"], options["readout"]


def ratio(metrics):
    """Mean integer RMSE over mean float RMSE of the same seeds."""
    return centre(metrics["rmse"]["integer"]) / centre(metrics["rmse"]["float"])


def _spread(figure):
    if isinstance(figure, dict):
        return f"{figure['mean']:.2f} ± {figure['std']:.2f}"
    return "" if figure is None else f"{figure:.2f}"


def _row(metrics):
    source, window, d_model, bits, readout = _key(metrics)
    rmse, interval = metrics["rmse"], metrics["interval"]["integer"]
    best = min(rmse["integer"]["values"]) if isinstance(rmse["integer"], dict) else rmse["integer"]
    paper = PAPER.get((source, window, d_model, bits))
    cells = [f"({window}, {d_model}) {readout}", str(bits), _spread(rmse["float"]), _spread(rmse.get("ensemble")),
             _spread(rmse["qat"]), f"**{_spread(rmse['integer'])}**",
             f"{interval['low']:.2f} to {interval['high']:.2f}", f"{ratio(metrics):.3f}",
             f"{best:.2f}", f"{paper:.2f}" if paper else ""]
    return "| " + " | ".join(cells) + " |"


def _table(stored, source):
    """Rows of one data set, sorted by shape, readout and width."""
    order = {shape: index for index, shape in enumerate(SHAPES)}
    found = sorted((metrics for metrics in stored.values() if _key(metrics)[0] == source),
                   key=lambda metrics: (order[_key(metrics)[1:3]], READOUTS.index(_key(metrics)[4]), -_key(metrics)[3]))
    head = ["model", "bits", "FP32", _mean_of(stored), "QAT", "**integer**", "95 % interval", "integer / FP32",
            "best seed on test"]
    head.append("paper, best of 50 on test")
    if source != "airu":
        head.pop()
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for metrics in found:
        row = _row(metrics)
        lines.append(row if source == "airu" else row.rpartition(" |")[0].rpartition(" |")[0] + " |")
    return lines


def _baselines(stored, source):
    """One row a shape: the baselines."""
    lines = ["| window, parameters | persistence | least squares | MLP of the same size |", "|---|---|---|---|"]
    seen = {}
    for metrics in stored.values():
        if _key(metrics)[0] == source:
            seen.setdefault(_key(metrics)[1:3], metrics)
    for (window, _), metrics in sorted(seen.items(), key=lambda item: SHAPES.index(item[0])):
        rmse = metrics["rmse"]
        last_value = _spread(rmse["persistence"]) or "target is not an input"
        lines.append(f"| {window} rows, {metrics['parameters']:,} | {last_value} | "
                     f"{_spread(rmse['least_squares'])} | {_spread(rmse['mlp'])} |")
    return lines


def _targets(stored):
    """Targets and results."""
    by_key = {_key(metrics): metrics for metrics in stored.values()}
    lines = ["| model | RMSE, target | reached | integer / FP32, target | reached |", "|---|---|---|---|---|"]
    for *key, largest, largest_ratio in TARGETS:
        metrics = by_key.get(tuple(key))
        if metrics is None:
            continue
        reached, quotient = centre(metrics["rmse"]["integer"]), ratio(metrics)
        source, window, d_model, bits, readout = key
        lines.append(f"| {TITLES[source].partition(':')[0]} ({window}, {d_model}) {bits} bits {readout} | ≤ {largest} | "
                     f"{reached:.2f}{'' if reached <= largest else ' (missed)'} | "
                     f"{f'≤ {largest_ratio}' if largest_ratio else ''} | {quotient:.3f}"
                     f"{' (missed)' if largest_ratio and quotient > largest_ratio else ''} |")
    return lines


def _options(stored):
    return next(iter(stored.values()))["options"]


def _mean_of(stored):
    """Heading of the teachers' column."""
    return f"mean of {_options(stored)['teachers']} FP32"


def unequal(stored):
    """What the integer network has had that the FP32 network beside it has not, as text."""
    teachers = _options(stored)["teachers"]
    several = all(isinstance(metrics["rmse"].get("ensemble"), dict) for metrics in stored.values())
    return (f"FP32 and integer are not trained alike: the integer network goes on from the FP32 network for as many epochs "
            f"again and is distilled from {teachers} FP32 networks, so an error below that of FP32 does not show that "
            f"quantization helps. *{_mean_of(stored)}* is the error of the mean forecast of these networks"
            f"{'' if several else ', of the first seed where no deviation is given'}.")


def headline(stored):
    """README.md's table: FP32 and integer error of the models with a target, their teachers', the paper's, and remarks."""
    by_key = {_key(metrics): metrics for metrics in stored.values()}
    rows = []
    for source, window, d_model, bits, readout, *_ in TARGETS:
        metrics = by_key.get((source, window, d_model, bits, readout))
        if metrics is not None:
            paper = PAPER.get((source, window, d_model, bits))
            rows.append([TITLES[source], f"{window}, {d_model}, {bits}", readout, _spread(metrics["rmse"]["float"]),
                         _spread(metrics["rmse"].get("ensemble")) or "-", _spread(metrics["rmse"]["integer"]),
                         f"{paper:.2f}" if paper else "-"])
    table = markdown(["test RMSE", "window, d, bits", "readout", "FP32", _mean_of(stored), "integer",
                      "paper, best of 50"], rows)
    remarks = ["On {} an MLP of the same size ({:.2f}) is better than every Transformer ({:.2f}).".format(
        title.partition(":")[0], *pair) for source, title in TITLES.items() if (pair := smaller_is_better(stored, source))]
    text = f"Intervals and baselines of these and {len(stored) - len(rows)} other models: [docs/results.md](docs/results.md)."
    return "\n\n".join([table, textwrap.fill(" ".join([unequal(stored), *remarks, text]), 132)])


def page(stored):
    """The text of docs/results.md.

    Args:
        stored: dict of ``load``.
    """
    options, seeds = _options(stored), len(next(iter(stored.values())).get("seeds", [1]))
    missing = len(list(entries())) - len(stored)
    lacking = (" `make results-train TEACHERS=1` fills what is empty there."
               if any("ensemble" not in metrics["rmse"] for metrics in stored.values()) else "")
    lines = [
        "# Results", "",
        "Written by `make results` from the metrics in `docs/results/metrics`; do not edit.",
        f"`make results-train` trains the missing ones, {missing} of {len(stored) + missing} models at present." if missing else
        f"`make results-train` trained the {len(stored)} models; it retrains those whose metrics are deleted.", "",
        "## Protocol", "",
        f"Every number is a root mean square error on the test set: mean ± standard deviation over {seeds} seeds. The recipe,",
        "its constants and the number of epochs were chosen on the validation part of the training data (the last 15 % in",
        "time, and a block in its middle). With them fixed, the models were trained on all training data, validation part",
        "included, and measured on the test set. [decisions.md](decisions.md) says what changed after its first evaluation:",
        "a fault in the export and one in the training, found in training losses, and a choice of inputs on the second data",
        "set; the recipe was not. No seed is left out. *FP32* is the float network of the same seed before quantization;",
        "*QAT* its quantization-aware successor in float32; **integer** the exported model in the arithmetic of",
        "the hardware, which simulation and gateware compute bit for bit. The input has 8 bits and the output 32 at every",
        "width.", "",
        "*95 % interval*: block bootstrap over the test windows (neighbouring windows overlap, so whole blocks are drawn), for",
        "the mean over the seeds. Differences within it are not significant.", "",
        *textwrap.wrap(unequal(stored) + lacking, 120, break_on_hyphens=False), "",
        "*Best seed on test* chooses the seed by its test error, as the paper does with 50 sessions. It is not a measure of",
        f"accuracy; it is given for a like-for-like comparison, with {seeds} sessions against their 50.", "",
        f"Recipe: AdamW (0.9, 0.99), rate {options['lr']}, weight decay {options['weight_decay']} on matrices, batches of "
        f"{options['batch']}, {options['warmup']:.0%} warm-up, then",
        "a cosine; float, then the same schedule quantization-aware, its target "
        f"{options['distill']:.0%} of the way from the truth to the mean of {options['teachers']} float",
        "networks. [decisions.md](decisions.md) has the reasons.", ""]
    lines += ["## Targets", "", *_targets(stored), ""]
    for source, title in TITLES.items():
        if not any(_key(metrics)[0] == source for metrics in stored.values()):
            continue
        lines += [f"## {title}", "", *_table(stored, source), "", *_baselines(stored, source), "",
                  *verdict(stored, source), *NOTES[source], "",
                  f"![A week of the test set](results/{source}-forecast.png)", ""]
    return "\n".join([*lines, "## Width", "", "![Error against bits](results/bits.png)", "",
                      "![Quantization error of every activation](results/layers.png)", "",
                      "Error of an activation: root mean square of what rounding and clamping change, over its standard",
                      "deviation, in the (12, 32) models with last-token readout on AirU. A large one is not a fault:",
                      "training lets a tensor saturate where that helps the forecast.", ""])


NOTES = {
    "airu": ["The paper's integer model was run again as published: 9.95 to 12.7 ppb at 8 bits, 10.4 to 16.7 at 4 bits; its",
             "figures in the table are those of its quantization-aware model. Mean readout is the paper's."],
    "pems": ["A stand-in for the paper's PeMS file, never compared with its figures. All models forecast the change since the",
             "last value."]}


def smaller_is_better(stored, source):
    """``(error of the best MLP, of the best Transformer)`` where the MLP wins, else None."""
    found = [metrics["rmse"] for metrics in stored.values() if _key(metrics)[0] == source]
    if not found:
        return None
    small, best = min(centre(rmse["mlp"]) for rmse in found), min(centre(rmse["integer"]) for rmse in found)
    return (small, best) if small < best else None


def verdict(stored, source):
    """A line for the page if a small MLP is better than every Transformer."""
    if pair := smaller_is_better(stored, source):
        return ["**An MLP ({:.2f}) is better here than every Transformer of the table ({:.2f}).**".format(*pair), ""]
    return []


def draw(stored, folder=PLOTS):
    """Write the plots that the stored metrics allow."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, title in TITLES.items():
        found = [metrics for metrics in stored.values() if _key(metrics)[0] == source]
        if found:
            _save(_forecast(found[0], title), folder / f"{source}-forecast.png")
    _save(_bits(stored), folder / "bits.png")
    _save(_layers(stored), folder / "layers.png")


def _save(figure, path):
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})


def _forecast(metrics, title):
    """Truth, float and integer over the first windows of the test set."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes, shown = figure.add_subplot(), metrics["forecast"]
    for name, colour, width in (("truth", "black", 1.6), ("float", "tab:blue", 1.1), ("integer", "tab:orange", 1.1)):
        label = f"integer, {metrics['options']['bits']} bits" if name == "integer" else name
        axes.plot(shown[name], color=colour, linewidth=width, label=label)
    axes.set(xlabel=f"test window (first {min(WEEK, len(shown['truth']))})", ylabel=title.partition(": ")[2], title=title)
    axes.grid(alpha=0.3)
    axes.margins(x=0.01)
    axes.legend(frameon=False, ncols=3)
    return figure


def _bits(stored):
    """Integer RMSE against width, one line per shape and readout; FP32 as a dashed line of the same colour."""
    sources = [source for source in TITLES if any(_key(metrics)[0] == source for metrics in stored.values())]
    figure = Figure(figsize=(5 * len(sources), 4), layout="constrained")
    for axes, source in zip(figure.subplots(1, len(sources), squeeze=False)[0], sources):
        lines = {}
        for metrics in stored.values():
            if _key(metrics)[0] == source:
                lines.setdefault((*_key(metrics)[1:3], _key(metrics)[4]), []).append(metrics)
        for number, ((window, d_model, readout), found) in enumerate(sorted(lines.items())):
            found.sort(key=lambda metrics: _key(metrics)[3])
            figures = [metrics["rmse"]["integer"] for metrics in found]
            axes.errorbar([_key(metrics)[3] + 0.06 * number for metrics in found], list(map(centre, figures)),
                          [figure["std"] if isinstance(figure, dict) else 0 for figure in figures], color=f"C{number}",
                          marker="o", capsize=3, label=f"({window}, {d_model}) {readout}")
            axes.axhline(sum(centre(metrics["rmse"]["float"]) for metrics in found) / len(found), color=f"C{number}",
                         linestyle="--", linewidth=0.8)
        axes.set(xlabel="bits", ylabel="test RMSE", title=TITLES[source], xticks=sorted(BITS))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, title="dashed: FP32", fontsize="small")
    return figure


def _layers(stored):
    """Quantization error of every activation of the (12, 32) models on AirU, one line per width."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for metrics in sorted(stored.values(), key=lambda metrics: -_key(metrics)[3]):
        if _key(metrics)[:3] == ("airu", 12, 32) and _key(metrics)[4] == "last":
            names = ["embedding" if name == "hidden" else name.removeprefix("layers.0.") for name in metrics["layers"]]
            axes.plot(names, [100 * error for error in metrics["layers"].values()], marker="o",
                      label=f"{_key(metrics)[3]} bits")
    axes.set(ylabel="relative error, %", title="Quantization error of every activation, AirU (12, 32) last")
    plain_logarithmic(axes.yaxis)
    axes.tick_params(axis="x", labelrotation=30)
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure


def main():
    """Write page and plots."""
    stored = load()
    if not stored:
        console.note(f"there are no stored metrics in {METRICS}; `make results-train` creates them")
        raise SystemExit(2)
    draw(stored)
    write_atomically(PAGE, page(stored))
    write_atomically(README, fill(README.read_text(), "accuracy", headline(stored)))
    console.note(f"{PAGE}, {PLOTS}/*.png and the table of {README.name} written from {len(stored)} stored results")


if __name__ == "__main__":
    main()
