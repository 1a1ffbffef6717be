"""How long a step takes with each kernel, beside a dense reading of the rule and beside what the processor can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from ..automaton.firing import FireDraws
from ..automaton.kernels import KernelName, make_kernel
from ..automaton.rule import Rule
from ..numerics import blas_threads

SIZE = 256  # rows and columns of the slice
ARCHITECTURES = ((16, 128), (32, 128))  # channels and hidden layer, as published
_FIRE_RATE = 0.5
_PRODUCT = 1536  # rows and columns of the large matrices
_STEPS = 3  # timed in a row
_SECONDS = 40.0  # for one architecture; a slow machine does fewer repetitions
# Threads of BLAS libraries spin for a while after a product and would slow the next measurement.
_PAUSE = 0.05


@dataclass(frozen=True)
class KernelTimes:
    """Medians of one architecture.

    Attributes:
        channels, hidden: C and H.
        steps: seconds a step by name: "plain" (the dense reading), "numpy", "torch", and "numpy, one thread",
            "torch, one thread".
        products: seconds for one product of large matrices by library.
    """

    channels: int
    hidden: int
    steps: dict[str, float]
    products: dict[str, float]

    @property
    def peak(self) -> float:
        """Floating-point operations a second in the faster library's large product."""
        return 2 * _PRODUCT**3 / min(self.products.values())

    @property
    def needed(self) -> int:
        """Floating-point operations that a step needs: the multiplications and additions for the cells that fire."""
        weights = sum(np.prod(shape) for name, shape in self._shapes.items() if not name.endswith("bias"))
        return round(2 * weights * _FIRE_RATE * SIZE**2)

    @property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return Rule.shapes(self.channels, 2 * self.channels, self.hidden, 3)

    def rows(self) -> list[dict[str, Any]]:
        """One row a kernel, with the JSON's keys."""
        return [
            {
                "kernel": kernel,
                "size": SIZE,
                "channels": self.channels,
                "hidden": self.hidden,
                "ms_per_step": 1000 * self.steps[kernel],
                "times_plain": self.steps["plain"] / self.steps[kernel],
                "share_of_peak": self.needed / self.steps[kernel] / self.peak,
            }
            for kernel in ("plain", "numpy", "torch")
            if kernel in self.steps
        ]

    def one_thread(self) -> dict[str, float]:
        """How many times as long a step takes with one thread, by kernel."""
        return {
            kernel: self.steps[f"{kernel}, one thread"] / self.steps[kernel]
            for kernel in ("numpy", "torch")
            if kernel in self.steps
        }


def measure(channels: int, hidden: int, repetitions: int) -> KernelTimes:
    """Time all kernels of one architecture, interleaved so that changes in load affect all equally."""
    random = np.random.default_rng(0)
    shapes = Rule.shapes(channels, 2 * channels, hidden, 3)
    # So small that the state stays near its beginning however many steps are taken.
    rule = Rule(**{name: 0.01 * random.standard_normal(shape, np.float32) for name, shape in shapes.items()})
    state = random.standard_normal((1, SIZE, SIZE, channels), np.float32)
    matrix = random.standard_normal((_PRODUCT, _PRODUCT), np.float32)

    names: list[KernelName] = ["numpy"]
    if find_spec("torch"):
        names.append("torch")
    steps: dict[str, Callable[[], object]] = {"plain": _plain(rule, state)}
    for name in names:
        steps[name] = _fast(name, rule, state, None)
        steps[f"{name}, one thread"] = _fast(name, rule, state, 1)
    products: dict[str, Callable[[], object]] = {"numpy": lambda: matrix @ matrix}
    if "torch" in names:
        import torch

        tensor = torch.from_numpy(matrix)
        products["torch"] = lambda: tensor @ tensor

    work = {**steps, **{f"{library} product": product for library, product in products.items()}}
    times: dict[str, list[float]] = {name: [] for name in work}
    began = time.perf_counter()
    for repetition in range(repetitions):
        if repetition and time.perf_counter() - began > _SECONDS:
            break
        for what, once in work.items():
            time.sleep(_PAUSE)
            once()
            times[what] += [_seconds(once) for _ in range(_STEPS)]
    medians = {what: median(values) for what, values in times.items()}
    return KernelTimes(
        channels,
        hidden,
        {what: medians[what] for what in steps},
        {library: medians[f"{library} product"] for library in products},
    )


def plain_name() -> str:
    """What the dense reading is computed with on this machine."""
    return "PyTorch" if find_spec("torch") else "NumPy in float64, since there is no PyTorch"


def threads() -> int:
    """How many threads the kernels use by themselves."""
    return blas_threads.threads()


def _plain(rule: Rule, state: np.ndarray) -> Callable[[], object]:
    if not find_spec("torch"):
        draws = FireDraws(_FIRE_RATE)
        return lambda: rule.step(state, draws.draw(0, 0, range(1), SIZE, SIZE), 1, "reflect")
    import torch

    from ..automaton.kernels.dense_reference import DenseReference

    reading, tensor = DenseReference(rule, 1), torch.from_numpy(state)
    return lambda: reading.step(tensor, torch.rand(1, SIZE, SIZE) < _FIRE_RATE)


def _fast(name: KernelName, rule: Rule, state: np.ndarray, threads: int | None) -> Callable[[], object]:
    kernel, draws = make_kernel(name, rule, 1, "reflect", threads), FireDraws(_FIRE_RATE)
    kernel.load(state)
    return lambda: kernel.step(draws.draw(0, 0, range(1), SIZE, SIZE))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
