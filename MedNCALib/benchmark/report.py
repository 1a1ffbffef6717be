"""How fast the engine is on this machine, side by side in one run."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path

from ..atomic_write import written_whole
from ..errors import MedNCAError
from . import kernels, models, panel

_QUIET = 0.5  # load that still counts as a quiet machine


def run(json_file: Path | None = None, repetitions: int = 15) -> dict:
    """Measure, print a table and, where asked to, write the figures as JSON. Takes under three minutes.

    Args:
        json_file: where to write the figures.
        repetitions: how often each kernel is timed; models are timed a fifth as often.

    Returns:
        The figures, as in the JSON.

    Raises:
        MedNCAError: there is no folder to write into, or a model cannot be run.
    """
    if json_file and not json_file.parent.is_dir():  # told now rather than afterwards
        raise MedNCAError(f"There is no folder {json_file.parent} to write {json_file.name} into.")
    machine = _machine()
    for name, value in machine.items():
        print(f"{name:14} {value}")
    if (machine["load_before"] or 0) > _QUIET:
        print("Other programs are at work: measure again when the machine is quiet.")
    times = [kernels.measure(*architecture, repetitions) for architecture in kernels.ARCHITECTURES]
    peak = max(each.peak for each in times) / 1e9
    print(f"{'matrix product':14} {peak:.0f} GFLOP/s, for large matrices")
    _print_kernels(times)
    model_rows = models.measure(max(1, repetitions // 5))
    _print_models(model_rows)
    scaling = models.measure_scaling()
    _print_scaling(scaling)
    panel_figures = _measured_panel()
    report = {
        "machine": machine,
        "matmul_gflops": peak,
        "kernels": [row for each in times for row in each.rows()],
        "models": model_rows,
        "scaling": scaling,
        "panel": panel_figures,
    }
    if json_file:
        with written_whole(json_file) as path:
            path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def _machine() -> dict:
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "threads": kernels.threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "torch": _version("torch"),
        "plain": kernels.plain_name(),
        # How many processes waited for a processor during the last minute. Where others work, PyTorch's threads wait
        # for each other, and the ratios tell nothing.
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model")))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _print_kernels(times: list[kernels.KernelTimes]) -> None:
    size = kernels.SIZE
    print(f"\n{f'one step, {size} x {size}':24} {'kernel':6} {'ms':>7} {'times plain':>12} {'share of peak':>14}")
    for each in times:
        for row in each.rows():
            print(
                f"{f'C {each.channels}, H {each.hidden}':24} {row['kernel']:6} {row['ms_per_step']:7.1f} "
                f"{row['times_plain']:12.1f} {row['share_of_peak']:14.0%}"
            )
        alone = ", ".join(f"{kernel} {ratio:.2f} times" for kernel, ratio in each.one_thread().items())
        print(f"{'':24} with one thread: {alone} as long")


def _print_scaling(scaling: dict | None) -> None:
    if scaling:
        memory = "" if scaling["peak_mb"] is None else f", {scaling['peak_mb']:.0f} MB"
        print(
            f"{scaling['model']}: {scaling['times_voxels']:.0f} times the voxels take "
            f"{scaling['times_seconds']:.0f} times as long{memory}"
        )


def _print_models(models: list[dict]) -> None:
    if not models:
        print("\nThere are no models to measure.")
        return
    width = max(14, *(len(row["model"]) for row in models))
    print(f"\n{'model':{width}} {'kernel':6} {'volume':>13} {'seconds':>8} {'a megavoxel':>12} {'peak memory':>12}")
    for row in models:
        voxels = row["shape"][0] * row["shape"][1] * row["shape"][2]
        memory = "-" if row["peak_mb"] is None else f"{row['peak_mb']:.0f} MB"
        print(
            f"{row['model']:{width}} {row['kernel']:6} {'x'.join(map(str, row['shape'])):>13} {row['seconds']:8.2f} "
            f"{row['seconds'] / voxels * 1e6:12.1f} {memory:>12}"
        )


def _measured_panel() -> dict:
    try:
        measured = panel.measure()
    except MedNCAError as error:
        print(f"\nThe panel was not measured: {error}")
        return {"longest_block_ms": None, "live_cost": None}
    print(
        f"\nwhile the panel segments, the application waits for {measured['longest_block_ms']:.0f} ms at most; "
        f"showing the cells takes {measured['live_cost']:.0%} longer"
    )
    return measured
