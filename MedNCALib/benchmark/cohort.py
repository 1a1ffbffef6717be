"""What many cases cost beyond the segmentation itself: `mednca segment` by worker processes, by Dask, once a case.

The command is run and looked at from outside. When each case was done is the time of its record's file, so that the
start of the processes does not count: of each run the first cases are left out.

`python -m MedNCALib.benchmark.cohort FOLDER` measures one model in a process of its own and writes it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import MedNCAError
from .child_process import json_of

CASES = 48  # of each run
_WARM_UP = 8  # of them, that are left out
_ALONE = 3  # commands for one case each
_SECONDS_TO_START = 60


@dataclass(frozen=True)
class CohortCost:
    """What many cases cost, blocks of the size that the model expects.

    Attributes:
        model: name of the model.
        cases: how many in each run.
        seconds: of the segmentation alone, mean over the cases, one at a time.
        overhead_ms: of a case beyond that with `--jobs 1`: reading, writing and the record included.
        throughput: of `--jobs 2`, cases a second.
        times_one_job: throughput of `--jobs 2` over that of `--jobs 1`.
        times_one_command: throughput of `--jobs 2` over that of a command for each case.
        worker_peak_mb: memory of the largest process of `--jobs 2`; None if the system does not report it.
        dask_overhead_ms: as `overhead_ms`, with one worker of a Dask cluster; None without the package distributed.
    """

    model: str
    cases: int
    seconds: float
    overhead_ms: float
    throughput: float
    times_one_job: float
    times_one_command: float
    worker_peak_mb: float | None
    dask_overhead_ms: float | None


def measure_cohort() -> CohortCost | None:
    """Many cases with the smallest model that expects a box.

    Returns:
        What they cost; None if there is no such model.

    Raises:
        MedNCAError: it failed; the message names the model.
    """
    from ..model.model import list_models

    models = [model for model in list_models() if model.card.field_of_view_mm and model.slice_format.spacing[2]]
    model = min(models, key=lambda model: model.cascade.parameter_count, default=None)
    if model is None:
        return None
    try:
        return CohortCost(**json_of("-m", f"{__package__}.cohort", str(model.folder)))
    except MedNCAError as error:
        raise MedNCAError(f"Many cases with the model in {model.folder} could not be measured: {error}") from None


def measure_here(folder: str) -> CohortCost:
    """Write the cases and run the command over them."""
    from ..model.model import load_model

    model = load_model(folder)
    with TemporaryDirectory() as place:
        images = Path(place) / "images"
        images.mkdir()
        for number in range(CASES):
            _write_case(images / f"case{number:03d}.nrrd", number, model.card.field_of_view_mm or (48, 60, 48))
        one = _rate(images, folder, Path(place) / "one", ["--jobs", "1"])
        two = _rate(images, folder, Path(place) / "two", ["--jobs", "2"])
        peak = _children_peak_mb()
        alone = min(_seconds_alone(images / f"case{number:03d}.nrrd", folder, place) for number in range(_ALONE))
        dask = None
        if find_spec("distributed") is not None:
            with _dask_cluster(Path(place)) as scheduler:
                dask = _rate(images, folder, Path(place) / "dask", ["--dask", scheduler])
    return CohortCost(
        model=model.name,
        cases=CASES,
        seconds=one.seconds,
        overhead_ms=1000 * one.overhead,
        throughput=two.throughput,
        times_one_job=two.throughput / one.throughput,
        times_one_command=two.throughput * alone,
        worker_peak_mb=peak,
        dask_overhead_ms=None if dask is None else 1000 * dask.overhead,
    )


@dataclass(frozen=True)
class Rate:
    """Of a run: cases a second, and the mean seconds of a segmentation."""

    throughput: float
    seconds: float

    @property
    def overhead(self) -> float:
        """Seconds of a case beyond the segmentation, if one runs at a time."""
        return 1 / self.throughput - self.seconds


def rate_of(times: Sequence[float], seconds: Sequence[float], warm_up: int) -> Rate:
    """The rate of a run.

    Args:
        times: when each case was done, in s.
        seconds: of each case's segmentation, in the same order.
        warm_up: how many of the first cases to leave out, at least one.
    """
    order = sorted(range(len(times)), key=times.__getitem__)
    counted = order[warm_up:]
    since = times[order[warm_up - 1]]
    return Rate(len(counted) / (times[counted[-1]] - since), sum(seconds[number] for number in counted) / len(counted))


def _write_case(path: Path, seed: int, field_of_view: Sequence[float]) -> None:
    import numpy as np
    import SimpleITK as sitk

    from ..imaging.phantom import make_phantom

    size = tuple(max(8, round(length)) for length in field_of_view)
    sitk.WriteImage(make_phantom(size, np.ones(3).tolist(), seed=seed).image, str(path))


def _rate(images: Path, model: str, output: Path, options: Sequence[str]) -> Rate:
    _run(str(images), "-m", model, "-o", str(output), *options)
    records = sorted(output.glob("*.json"))
    seconds = [json.loads(path.read_text(encoding="utf-8"))["seconds"] for path in records]
    return rate_of([path.stat().st_mtime_ns / 1e9 for path in records], seconds, _WARM_UP)


def _seconds_alone(image: Path, model: str, place: str) -> float:
    began = time.perf_counter()
    _run(str(image), "-m", model, "-o", str(Path(place) / "alone"))
    return time.perf_counter() - began


def _run(*arguments: str) -> None:
    command = [sys.executable, "-m", "MedNCALib", "segment", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise MedNCAError((done.stderr.strip().splitlines() or ["it ended without a message"])[-1])


def _children_peak_mb() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


@contextmanager
def _dask_cluster(place: Path) -> Iterator[str]:
    """A scheduler and a worker of one thread; the scheduler file."""
    file = place / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    kinds = (["scheduler", "--host", "127.0.0.1", "--port", "0"], ["worker", "--nthreads", "1", "--no-nanny"])
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *kind, *common], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for kind in kinds
    ]
    try:
        end = time.monotonic() + _SECONDS_TO_START
        while not file.exists():
            if time.monotonic() > end:
                raise MedNCAError("the Dask scheduler did not start")
            time.sleep(0.1)
        yield str(file)
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    json.dump(asdict(measure_here(*sys.argv[1:])), sys.stdout)
