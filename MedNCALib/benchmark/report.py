"""How fast the engine is on this machine, side by side in one run."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ..errors import MedNCAError
from ..progress import Progress, ignore_progress
from . import kernels as kernel_times
from . import models as model_costs
from .child_process import json_of
from .cohort import CohortCost, measure_cohort
from .large_volume import LargeVolume, measure_large


@dataclass(frozen=True)
class PanelFigures:
    """Response of the application while the panel segments.

    Attributes:
        longest_block_ms: longest time without control for the event loop; None if it was not measured.
        live_cost: how much longer a run takes that shows the cells, as a share; None if it was not measured.
        failure: why they were not measured; None if they were, or were not asked for.
    """

    longest_block_ms: float | None = None
    live_cost: float | None = None
    failure: str | None = None


@dataclass(frozen=True)
class BenchmarkReport:
    """What a benchmark measures.

    Attributes:
        machine: what it was measured on, by the JSON's keys.
        kernels: times of each architecture.
        models: cost of a volume with each model and kernel.
        scaling: how cost grows with the volume; None without a model.
        large: cost of a large volume; None without a model that need not run all cells.
        panel: response of the application.
        cohort: cost of many cases; None without a model that expects a box.
    """

    machine: Mapping[str, Any]
    kernels: tuple[kernel_times.KernelTimes, ...]
    models: tuple[model_costs.ModelCost, ...]
    scaling: model_costs.Scaling | None
    panel: PanelFigures
    large: LargeVolume | None = None
    cohort: CohortCost | None = None

    @property
    def matmul_gflops(self) -> float:
        """Speed of large matrix products, in 10**9 floating-point operations a second."""
        return max(times.peak for times in self.kernels) / 1e9

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "machine": dict(self.machine),
            "matmul_gflops": self.matmul_gflops,
            "kernels": [row for times in self.kernels for row in times.rows()],
            "models": [asdict(cost) for cost in self.models],
            "scaling": self.scaling and asdict(self.scaling),
            "large": self.large and asdict(self.large),
            "cohort": self.cohort and asdict(self.cohort),
            "panel": {"longest_block_ms": self.panel.longest_block_ms, "live_cost": self.panel.live_cost},
        }


def measure(
    repetitions: int = 15, panel_script: Path | None = None, progress: Progress = ignore_progress
) -> BenchmarkReport:
    """Measure kernels and models, which takes some minutes, and the panel if its script is given.

    Args:
        repetitions: how often each kernel is timed; models are timed a fifth as often.
        panel_script: Python program that prints the panel's figures as JSON; the engine knows nothing of the panel.
        progress: called with the share that is done and what is measured next.

    Raises:
        MedNCAError: a model cannot be run.
    """
    progress(0.0, "kernels")
    machine = _machine()
    times = tuple(kernel_times.measure(*architecture, repetitions) for architecture in kernel_times.ARCHITECTURES)
    progress(0.4, "models")
    costs = model_costs.measure(max(1, repetitions // 5))
    progress(0.6, "larger volume")
    scaling = model_costs.measure_scaling()
    progress(0.7, "large volume with one small structure")
    large = measure_large()
    progress(0.8, "many cases")
    cohort = measure_cohort()
    progress(0.9, "panel")
    panel = PanelFigures() if panel_script is None else _panel(panel_script)
    return BenchmarkReport(machine, times, costs, scaling, panel, large, cohort)


def _machine() -> dict[str, Any]:
    return {
        "processor": processor_name(),
        "processors": os.cpu_count(),
        "threads": kernel_times.threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "torch": _version("torch"),
        "plain": kernel_times.plain_name(),
        # How many processes waited for a processor during the last minute. If others work, PyTorch's threads wait for
        # each other, and the ratios mean nothing.
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def processor_name() -> str:
    """What the processor calls itself."""
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


def _panel(script: Path) -> PanelFigures:
    try:
        found = json_of(str(script))
        return PanelFigures(float(found["longest_block_ms"]), float(found["live_cost"]))
    except MedNCAError as error:
        return PanelFigures(failure=str(error))
    except (KeyError, TypeError, ValueError):
        return PanelFigures(failure="its script printed other figures")
