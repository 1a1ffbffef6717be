"""The page of benchmarks and its pictures, written from measured rows and from the cards of the bundled models.

    python Testing/tools/benchmark_page.py

reads `Resources/Documentation/benchmarks.json`, in which each row names its machine, version, command and date, and the
cards in `weights`. It writes `benchmarks.md` beside the JSON file, and one picture a model. With

    python Testing/tools/benchmark_page.py --record build/comparison/*/comparison.json

what `comparison.py` measured replaces the rows of those models first, with `--curves FILE` what `learning_curves.py`
measured those of the learning curves, and with `--speed FILE` what `make bench JSON=FILE` measured those of the speed.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable
from datetime import date
from html import escape
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from MedNCALib._version import __version__
from MedNCALib.benchmark.report import processor_name

FOLDER = REPOSITORY / "Resources" / "Documentation"
ROWS = FOLDER / "benchmarks.json"
PAGE = FOLDER / "benchmarks.md"

BUNDLED = "bundled model"
PRESET = "preset, one run"
RECIPE = "published recipe"
UNET = "UNet (MONAI)"
# What gives the network more time or stores the image in another order says nothing about the image.
NOT_IN_PICTURE = ("axis order", "steps x 2", "steps x 4")

SPEED_TABLES = {
    "kernels": "speed of the kernels",
    "models": "speed of the models",
    "large": "a large volume",
    "scaling": "larger phantom",
    "cohort": "many volumes",
    "panel": "event loop of the panel",
}
_KERNELS = {"numpy": "NumPy", "torch": "PyTorch"}
_QUIET = 0.5  # processes that may have waited for a processor in the minute before a measurement of the speed

INTRODUCTION = """# Benchmarks

This page is written by `make comparison` and `python Testing/tools/benchmark_page.py` from
[benchmarks.json](benchmarks.json) and the models' cards: change those, not the page. What the words mean is in the
[glossary](glossary.md).

## Conclusion

{conclusion}

## How to read the comparison

- The networks: the *bundled model*; its *preset, one run*, which is one training from the start by `mednca train`; the
  same cascade trained by the *published recipe* (its optimiser and learning rate, independent firing, no augmentation,
  no EMA, no jittered steps, no clipping of gradients); and MONAI's *UNet* with more than five hundred times the
  parameters, which has the preset's augmentation, loss, EMA and schedule.
- All are trained on the same cases and measured on the same held-out cases. Dice and HD95 are those of all labels
  merged, on the input's own grid, mean over cases.
- The held-out cases also served to choose settings and checkpoints of the cascades, and the UNets were not tuned. Both
  favour the cascades. Expect slightly less on other data, above all for the prostate with its few cases.
- The bundled left ventricle and prostate were trained several times as long as their UNets. Their lead over the UNet
  may be that of the longer training: compare *preset, one run* with the UNet, which had the same time.
- The bundled hippocampus is trained on three collections and measured on the 17 of the 33 held-out cases that chose
  nothing. The other rows are trained on one collection, with the settings of 0.1.0 at 2f27226, and measured on all 33,
  which chose their checkpoints: the bundled model's lower figure there is partly that.
- The published recipe had less time than the others. It was trained before the presets had cropped hippocampi and
  soft targets, and was not repeated.
- Each row is one training. [How much figures vary](#how-much-figures-vary) shows how far other seeds lie apart.
- `mednca evaluate --perturb` measures a column of *Dice lost by*. Intensities are first scaled to 0 to 1. A `-` means
  that the perturbation is impossible: a single slice cannot become thicker.
- Cascades of one model do the same work: if their seconds differ, the difference is noise. Memory includes PyTorch in
  the rows of `make comparison`. Rows of one table may come from different versions: see
  [where each row comes from](#where-each-row-comes-from).
- The axes of the pictures do not begin at 0, and differ from model to model.
"""

CONCLUSION = (
    "With equal training time a UNet of more than five hundred times the parameters is level with the cascade on the "
    "hippocampus and the left ventricle, and below it on the prostate.",
    "The cascade trained by the published recipe, for a shorter time, is below both everywhere and fails on the "
    "prostate.",
    "With most perturbations the UNet loses a little less on the hippocampus and the prostate; the cascade loses less "
    "with noise on the left ventricle.",
)


def main(comparisons: list[Path] = (), curves: Path | None = None, speed: Path | None = None) -> None:
    """Take over what was measured, comparisons each from a folder of its model's name; write page and pictures."""
    rows, cards = read_rows(), read_cards()
    if curves is not None:
        rows["learning_curves"] = json.loads(curves.read_text(encoding="utf-8"))
    if speed is not None:
        rows = with_speed(rows, json.loads(speed.read_text(encoding="utf-8")))
    for file in comparisons:
        rows = with_comparison(rows, file.parent.name, json.loads(file.read_text(encoding="utf-8")))
    ROWS.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(rows, cards), encoding="utf-8")
    for name in cards:
        picture_file(name).write_text(picture(compared(rows, name)), encoding="utf-8")


def with_comparison(rows: dict[str, list[dict]], model: str, measured: dict[str, dict]) -> dict[str, list[dict]]:
    """The rows with those of one model's comparison replaced.

    Args:
        rows: as in the JSON file.
        model: name of the model.
        measured: by network, what `comparison.py` writes.
    """
    origin = source("make comparison")
    new = [{"model": model, "network": network, **row, **origin} for network, row in measured.items()]
    return {**rows, "comparison": [row for row in rows["comparison"] if row["model"] != model] + new}


def with_speed(rows: dict[str, list[dict]], measured: dict) -> dict[str, list[dict]]:
    """The rows with those of the speed replaced.

    Args:
        rows: as in the JSON file.
        measured: what `make bench` writes.

    Raises:
        SystemExit: other programs were at work, or the panel was not measured.
    """
    machine = measured["machine"]
    load = machine["load_before"]
    if load is not None and load > _QUIET:
        sys.exit(f"{load} processes waited for a processor before the measurement: measure when nothing else runs.")
    if measured["panel"]["longest_block_ms"] is None:
        sys.exit("The panel was not measured: `make bench` says why.")
    origin = {**source("make bench"), "machine": _machine_name(machine["processor"], machine["processors"])}
    tables = {name: _as_rows(measured[name]) for name in SPEED_TABLES}
    return {**rows, **{name: [{**row, **origin} for row in table] for name, table in tables.items()}}


def _as_rows(measured: list[dict] | dict | None) -> list[dict]:
    return measured if isinstance(measured, list) else [measured] if measured else []


def source(command: str) -> dict[str, str]:
    """Where a row comes from that is measured now, by a command."""
    return {
        "machine": _machine_name(processor_name(), os.cpu_count()),
        "version": __version__,
        "command": command,
        "date": date.today().isoformat(),
    }


def _machine_name(processor: str, cores: int | None) -> str:
    return f"{processor}, {cores} cores"


def read_rows() -> dict[str, list[dict]]:
    return json.loads(ROWS.read_text(encoding="utf-8"))


def read_cards() -> dict[str, dict]:
    """The card of each bundled model, by its name."""
    files = sorted((REPOSITORY / "weights").glob("*/card.json"))
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


def compared(rows: dict[str, list[dict]], model: str) -> list[dict]:
    """A model's rows of the comparison."""
    return [row for row in rows["comparison"] if row["model"] == model]


def picture_file(model: str) -> Path:
    return FOLDER / f"benchmark-{model}.svg"


# --- The page ---


def page(rows: dict[str, list[dict]], cards: dict[str, dict]) -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION.format(conclusion=" ".join(CONCLUSION))]
    for name, card in cards.items():
        parts.append(_model_section(name, card, compared(rows, name)))
    if rows.get("learning_curves"):
        parts.append(_curves_section(rows["learning_curves"]))
    parts += [_variation_section(rows), _speed_section(rows), _source_section(rows)]
    return "\n".join(parts)


def _model_section(name: str, card: dict, rows: list[dict]) -> str:
    cases, training = card["scores"]["cases"], card["training"]
    by_label = ", ".join(f"{label} {dice:.3f}" for label, dice in card["scores"]["labels"].items())
    facts = [
        ["held-out cases", str(len(cases))],
        ["Dice of the bundled model by label", by_label],
        ["its training", f"{training['batches']:,} batches, {training['minutes']:.0f} minutes"],
        ["how it came about", f"[TRAINING.md](../../weights/{name}/TRAINING.md)"],
    ]
    return f"""## {card["title"]}

{_table([f"`{name}`", ""], facts)}

![{name}: Dice of each network on the held-out cases, as they are and perturbed]({picture_file(name).name})

{comparison_tables(rows)}
"""


def comparison_tables(rows: list[dict]) -> str:
    """What each network reaches and costs, then what each perturbation takes away from it."""
    costs = [[f"**{row['network']}**" if row["network"] == BUNDLED else row["network"], *_costs(row)] for row in rows]
    measured = [row for row in rows if "dice" in row]
    names = list(dict.fromkeys(name for row in measured for name in row["dice_drop"]))
    drops = [[name, *(_drop(row["dice_drop"].get(name)) for row in measured)] for name in names]
    head = ["network", "Dice", "HD95", "parameters", "size", "one case", "peak memory", "minutes of training"]
    return "\n\n".join([_table(head, costs), _table(["Dice lost by", *(row["network"] for row in measured)], drops)])


def _costs(row: dict) -> list[str]:
    minutes = f"{row['training_minutes']:.0f}"
    if "dice" not in row:
        return [row["remark"], "-", "-", "-", "-", "-", minutes]
    return [
        f"{row['dice']:.3f}",
        "-" if row["hd95_mm"] is None else f"{row['hd95_mm']:.1f} mm",
        f"{row['parameters']:,}",
        f"{row['megabytes']:.1f} MB",
        f"{row['seconds']:.2f} s",
        f"{row['peak_mb']:.0f} MB",
        minutes,
    ]


def _curves_section(rows: list[dict]) -> str:
    lengths = sorted({row["minutes"] for row in rows})
    lines: dict[tuple, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["structure"], row["network"], row["cases"])):
        line = lines.setdefault((row["structure"], row["network"], row["cases"]), ["-"] * len(lengths))
        dice = "no model" if row["dice"] is None else f"{row['dice']:.3f}"
        line[lengths.index(row["minutes"])] = f"{dice} ({row['batches']:,})"
    head = ["structure", "network", "cases", *(f"{minutes} minutes" for minutes in lengths)]
    return f"""## Learning curves

Dice on cases that took no part after so many minutes of training with `--preset auto`, and in brackets the batches. A
bundled model to start from is one of another structure. The UNet is MONAI's, with the same settings. What is not there,
or a `-`, was not measured: `python Testing/tools/learning_curves.py` goes on with 1, 3, 5, 10 and 20 cases and 3, 10
and 30 minutes for each line. That takes two days in which the computer does nothing else.

{_table(head, [[*map(str, key), *line] for key, line in lines.items()])}
"""


def _variation_section(rows: dict[str, list[dict]]) -> str:
    draws = [
        [row["model"], row["network"], *(f"{dice:.3f}" for dice in row["dice_by_seed"]), _mean_and_range(row)]
        for row in rows["comparison"]
        if row.get("dice_by_seed")
    ]
    trainings = [
        [row["model"], row["what"], f"{row['minutes']:.0f}", ", ".join(f"{dice:.3f}" for dice in row["dice"])]
        for row in rows["training_seeds"]
    ]
    return f"""## How much figures vary

By the seed of the fire draws (`mednca evaluate --seed`). Seed 0 also chose the weights. A UNet draws nothing, so its
figure does not depend on a seed; rows that are absent were measured with seed 0 alone.

{_table(["model", "network", "seed 0", "seed 1", "seed 2", "seed 3", "mean (range)"], draws)}

By the seed of the training (`mednca train --seed`), one figure a training:

{_table(["model", "training", "minutes", "Dice"], trainings)}
"""


def _mean_and_range(row: dict) -> str:
    values = row["dice_by_seed"]
    return f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _speed_section(rows: dict[str, list[dict]]) -> str:
    kernels: dict[tuple[int, int], dict[str, str]] = {}
    for row in rows["kernels"]:
        kernels.setdefault((row["channels"], row["hidden"]), {})[row["kernel"]] = f"{row['ms_per_step']:.0f} ms"
    rules = [
        [f"{channels} channels, {hidden} hidden units", *(times.get(kernel, "-") for kernel in ("plain", *_KERNELS))]
        for (channels, hidden), times in kernels.items()
    ]
    models = [
        [
            f"`{row['model']}`",
            _voxels(row),
            _KERNELS[row["kernel"]],
            *(_seconds(row[what]) for what in ("seconds", "seconds_all_cells", "seconds_turn")),
            _megabytes(row),
        ]
        for row in rows["models"]
    ]
    large = [
        [f"`{row['model']}`", _voxels(row), *map(_seconds, (row["seconds"], row["seconds_all_cells"])), _megabytes(row)]
        for row in rows["large"]
    ]
    growth = [
        [f"`{row['model']}`", f"{row['times_voxels']:.0f}", f"{row['times_seconds']:.0f}", _megabytes(row)]
        for row in rows["scaling"]
    ]
    cohorts = [
        [
            f"`{row['model']}`",
            f"{row['seconds']:.2f} s",
            f"{row['overhead_ms']:.0f} ms",
            f"{row['throughput']:.1f}",
            f"{row['times_one_command']:.0f}",
            _megabytes(row, "worker_peak_mb"),
        ]
        for row in rows["cohort"]
    ]
    panels = [[f"{row['longest_block_ms']:.0f} ms", f"{row['live_cost']:.0%}"] for row in rows["panel"]]
    return f"""## Speed

`make bench` measures this without any data. One step on one slice of 256 x 256 cells:

{_table(["rule", "plain reading", "NumPy kernel", "PyTorch kernel"], rules)}

One volume, the synthetic phantom in the size that the model expects, the loading of the model included. Cells that
cannot matter do not run, unless all have to, as for *Keep the steps*. A correction is one that grows around a square of
6 mm:

{_table(["model", "voxels", "kernel", "time", "with all cells", "one correction", "peak memory"], models)}

A larger volume with one small structure, and a phantom that is larger along each axis, both with NumPy:

{_table(["model", "voxels", "time", "with all cells", "peak memory"], large)}

{_table(["model", "times the voxels", "times the time", "peak memory"], growth)}

Many small volumes with one command and two processes. Beyond the segmentation a case takes the time for reading,
writing and its record:

{_table(["model", "segmentation", "beyond it", "cases a second", "times as many as alone", "peak memory"], cohorts)}

While the panel segments a volume of 256 x 256 x 24 voxels, the application waits for this long at most, and showing the
cells makes a run this much longer:

{_table(["longest wait", "cost of the live preview"], panels)}
"""


def _voxels(row: dict) -> str:
    return " x ".join(map(str, row["shape"]))


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def _megabytes(row: dict, key: str = "peak_mb") -> str:
    return "-" if row[key] is None else f"{row[key]:.0f} MB"


def _source_section(rows: dict[str, list[dict]]) -> str:
    sources: dict[tuple, list[str]] = {}
    for what, row in _titled(rows):
        sources.setdefault(_source(row), []).append(what)
    lines = [["; ".join(dict.fromkeys(what)), *each] for each, what in sources.items()]
    return f"""## Where each row comes from

A version with "at" is that of a commit.

{_table(["rows", "machine", "version", "command", "date"], lines)}
"""


def _titled(rows: dict[str, list[dict]]) -> Iterable[tuple[str, dict]]:
    """Each row, and what it is one of."""
    for row in rows["comparison"]:
        yield f"{row['model']}, {row['network']}", row
    for row in rows["training_seeds"]:
        yield f"training seeds, {row['model']}, {row['what']}", row
    for table, title in {**SPEED_TABLES, "learning_curves": "learning curves"}.items():
        for row in rows[table]:
            yield title, row


def _source(row: dict) -> tuple[str, str, str, str]:
    return row["machine"], row["version"], f"`{row['command']}`", row["date"]


def _drop(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 3) + 0:.3f}"  # + 0: not "-0.000"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


# --- The pictures ---

# Colours of Okabe and Ito, which colour-blind readers can tell apart; each network has a shape of its own too.
_MARKS = {BUNDLED: "#d55e00", PRESET: "#e69f00", UNET: "#0072b2", RECIPE: "#777777"}
_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _BOTTOM = 760, 200, 30, 78, 26, 46
_GUTTER = 62  # left of the axis, for what lies below it
_MARGIN = 0.004  # of Dice, between the outermost marks and the ends of the axis


def picture(rows: list[dict]) -> str:
    """A dot plot as SVG: Dice of each network on the images as they are, and with each perturbation.

    The axis spans all networks but the published recipe. What lies below the axis has its figure beside it.
    """
    names = [name for name in rows[0]["dice_drop"] if name not in NOT_IN_PICTURE]
    dice = {
        row["network"]: [row["dice"], *(row["dice"] - row["dice_drop"][name] for name in names)]
        for row in rows
        if "dice" in row
    }
    shown = [value for network, values in dice.items() if network != RECIPE for value in values]
    low, high = math.floor(100 * (min(shown) - _MARGIN)) / 100, math.ceil(100 * (max(shown) + _MARGIN)) / 100
    lines = ["as they are", *names]
    bottom = _TOP + _ROW * len(lines)
    width = _WIDTH - _LEFT - _RIGHT

    def place(value: float) -> float:
        return _LEFT + width * (value - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{bottom + _BOTTOM}" '
        f'viewBox="0 0 {_WIDTH} {bottom + _BOTTOM}" font-family="sans-serif" font-size="13" fill="#222222">',
        f'<rect width="{_WIDTH}" height="{bottom + _BOTTOM}" fill="white"/>',
        f'<text x="20" y="24" font-size="15" font-weight="bold">{escape(rows[0]["model"])}: Dice on held-out images'
        "</text>",
    ]
    for number, network in enumerate(name for name in _MARKS if name in dice):
        parts += [
            _mark(network, 26 + number * 150, 48),
            f'<text x="{38 + number * 150}" y="52">{escape(network)}</text>',
        ]
    for number in range(round(100 * (high - low)) + 1):
        value = low + number / 100
        x = place(value)
        parts += [
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>',
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:.2f}</text>',
        ]
    parts.append(f'<text x="{_LEFT + width / 2:.1f}" y="{bottom + 38}" text-anchor="middle">Dice</text>')
    for number, line in enumerate(lines):
        y = _TOP + _ROW * (number + 0.5)
        parts.append(f'<text x="{_LEFT - _GUTTER}" y="{y + 4:.1f}" text-anchor="end">{escape(line)}</text>')
        for network in reversed([name for name in _MARKS if name in dice]):  # the bundled model on top
            value = dice[network][number]
            if value < low:
                parts.append(
                    f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="11" '
                    f'fill="{_MARKS[network]}">&#9664; {value:.2f}</text>'
                )
            else:
                parts.append(_mark(network, place(value), y))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _mark(network: str, x: float, y: float) -> str:
    color = _MARKS[network]
    if network == BUNDLED:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{color}"/>'
    if network == PRESET:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="{color}" stroke-width="2"/>'
    if network == UNET:
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{color}" fill-opacity="0.85"/>'
    points = f"{x:.1f},{y - 5:.1f} {x - 5:.1f},{y + 4:.1f} {x + 5:.1f},{y + 4:.1f}"
    return f'<polygon points="{points}" fill="{color}"/>'


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", nargs="+", type=Path, default=[], metavar="comparison.json")
    parser.add_argument("--curves", type=Path, metavar="learning_curves.json")
    parser.add_argument("--speed", type=Path, metavar="bench.json")
    options = parser.parse_args()
    main(options.record, options.curves, options.speed)
