"""The kernels: fast ways to do one step of a rule, all with the meaning of `MedNCALib.automaton.rule.Rule.step`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, get_args

from ...errors import MedNCAError
from ..rule import Padding, Rule
from .base import FiringCellsKernel
from .numpy_kernel import NumpyKernel

KernelName = Literal["auto", "numpy", "torch"]
KERNEL_NAMES: tuple[KernelName, ...] = get_args(KernelName)


def choose_kernel(engine: KernelName) -> KernelName:
    """The kernel for a setting of the option `engine`: "numpy" or "torch".

    "auto" is NumPy, even if PyTorch is installed: a result should not depend on what else is installed, and kernels
    agree only up to rounding. Resources/Documentation/decisions compares their speed and memory.

    Raises:
        MedNCAError: the name is not known, or PyTorch is asked for and not installed.
    """
    if engine not in KERNEL_NAMES:
        raise MedNCAError(f"The engine {engine!r} is not known: choose one of {', '.join(KERNEL_NAMES)}.")
    if engine == "torch" and find_spec("torch") is None:
        raise MedNCAError(
            "The engine 'torch' needs PyTorch, which is not installed: choose 'numpy', which needs nothing."
        )
    return "numpy" if engine == "auto" else engine


def make_kernel(
    name: KernelName, rule: Rule, image_channels: int, padding: Padding, threads: int | None = None, beside: int = 1
) -> FiringCellsKernel:
    """A kernel for one rule; `name` is what `choose_kernel` gives, the rest as for `FiringCellsKernel`."""
    if name == "torch":
        from .torch_kernel import TorchKernel  # PyTorch is optional and slow to import

        return TorchKernel(rule, image_channels, padding, threads, beside)
    return NumpyKernel(rule, image_channels, padding, threads, beside)
