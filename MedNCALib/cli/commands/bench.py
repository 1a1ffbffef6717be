"""mednca bench."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError
from .json_output import require_folder, write_json
from .progress import ProgressBar

if TYPE_CHECKING:
    from ...benchmark.report import BenchmarkReport

SUMMARY = "Measure how fast the kernels and the models are on this machine."
DETAILS = ""

_QUIET = 0.5  # load that still counts as a quiet machine


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    parser.add_argument(
        "--panel",
        type=Path,
        metavar="SCRIPT",
        help="Python program that measures the panel in the application and prints its figures as JSON",
    )


def run(options: Namespace) -> None:
    """Measure and print the tables."""
    from ...benchmark.report import measure

    if options.json:
        require_folder(options.json)
    if options.panel and not options.panel.is_file():
        raise MedNCAError(f"There is no script {options.panel}. Check the name.")
    with ProgressBar() as bar:
        report = measure(panel_script=options.panel, progress=bar.show)
    if options.json:
        write_json(options.json, report.as_dict())
    print("\n".join(table_lines(report)))


def table_lines(report: BenchmarkReport) -> list[str]:
    """The report for people."""
    lines = [f"{name:14} {value}" for name, value in report.machine.items()]
    if (report.machine["load_before"] or 0) > _QUIET:
        lines.append("Other programs are at work: measure again when the machine is quiet.")
    lines.append(f"{'matrix product':14} {report.matmul_gflops:.0f} GFLOP/s, for large matrices")
    lines += ["", *_kernel_lines(report), "", *_model_lines(report)]
    scaling = report.scaling
    if scaling:
        memory = "" if scaling.peak_mb is None else f", {scaling.peak_mb:.0f} MB"
        lines.append(
            f"{scaling.model}: {scaling.times_voxels:.0f} times the voxels take {scaling.times_seconds:.0f} times as "
            f"long{memory}"
        )
    large = report.large
    if large:
        lines.append(
            f"{large.model}: {'x'.join(map(str, large.shape))} with one small structure takes {large.seconds:.0f} s, "
            f"{large.seconds_all_cells:.0f} s if all cells run (from a part of it)"
        )
    return [*lines, *_cohort_lines(report), *_panel_lines(report)]


def _kernel_lines(report: BenchmarkReport) -> list[str]:
    rows = [(times, row) for times in report.kernels for row in times.rows()]
    size = rows[0][1]["size"]
    lines = [f"{f'one step, {size} x {size}':24} {'kernel':6} {'ms':>7} {'times plain':>12} {'share of peak':>14}"]
    for times in report.kernels:
        name = f"C {times.channels}, H {times.hidden}"
        lines += [
            f"{name:24} {row['kernel']:6} {row['ms_per_step']:7.1f} {row['times_plain']:12.1f} "
            f"{row['share_of_peak']:14.0%}"
            for row in times.rows()
        ]
        alone = ", ".join(f"{kernel} {ratio:.2f} times" for kernel, ratio in times.one_thread().items())
        lines.append(f"{'':24} with one thread: {alone} as long")
    return lines


def _model_lines(report: BenchmarkReport) -> list[str]:
    if not report.models:
        return ["There are no models to measure."]
    width = max(14, *(len(cost.model) for cost in report.models))
    lines = [
        f"{'model':{width}} {'kernel':6} {'volume':>13} {'seconds':>8} {'all cells':>9} {'a turn':>7} "
        f"{'a megavoxel':>12} {'peak memory':>12}"
    ]
    for cost in report.models:
        voxels = cost.shape[0] * cost.shape[1] * cost.shape[2]
        every = "-" if cost.seconds_all_cells is None else f"{cost.seconds_all_cells:.2f}"
        turn = "-" if cost.seconds_turn is None else f"{cost.seconds_turn:.2f}"
        memory = "-" if cost.peak_mb is None else f"{cost.peak_mb:.0f} MB"
        lines.append(
            f"{cost.model:{width}} {cost.kernel:6} {'x'.join(map(str, cost.shape)):>13} {cost.seconds:8.2f} "
            f"{every:>9} {turn:>7} {cost.seconds / voxels * 1e6:12.1f} {memory:>12}"
        )
    return lines


def _cohort_lines(report: BenchmarkReport) -> list[str]:
    cost = report.cohort
    if cost is None:
        return []
    memory = "-" if cost.worker_peak_mb is None else f"{cost.worker_peak_mb:.0f} MB"
    dask = "-, it needs distributed" if cost.dask_overhead_ms is None else f"{cost.dask_overhead_ms:.0f} ms"
    return [
        "",
        f"{cost.cases} cases with {cost.model}, {cost.seconds:.3f} s of segmentation each:",
        f"{'throughput of --jobs 2':40} {cost.throughput:.1f} a second",
        f"{'  over --jobs 1':40} {cost.times_one_job:.2f} times",
        f"{'  over a command for each case':40} {cost.times_one_command:.1f} times",
        f"{'a case beyond its segmentation':40} {cost.overhead_ms:.0f} ms",
        f"{'  with --dask':40} {dask}",
        f"{'peak memory of a worker':40} {memory}",
    ]


def _panel_lines(report: BenchmarkReport) -> list[str]:
    panel = report.panel
    if panel.failure:
        return ["", f"The panel was not measured: {panel.failure}"]
    if panel.longest_block_ms is None or panel.live_cost is None:
        return []
    return [
        "",
        f"while the panel segments, the application waits for {panel.longest_block_ms:.0f} ms at most; showing the "
        f"cells takes {panel.live_cost:.0%} longer",
    ]
