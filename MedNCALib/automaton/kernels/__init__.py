"""The kernels: fast ways to do one step of a rule, all with the same meaning (`MedNCALib.automaton.rule.Rule.step`)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, get_args

from ...errors import MedNCAError
from ..rule import Rule
from .numpy_kernel import NumpyKernel

KernelName = Literal["auto", "numpy", "torch"]  # "auto": the one that is chosen for a setting
ENGINES: tuple[KernelName, ...] = get_args(KernelName)


def choose_kernel(engine: str) -> str:
    """The kernel that a setting stands for.

    "auto" is NumPy also where PyTorch is installed. PyTorch's kernel is a little faster at most with the bundled models
    (`mednca bench`), and importing it takes several times as long as a small volume, and 200 MB more. And a result
    should not hang on what else a session has imported: the two kernels agree but for rounding.

    Raises:
        MedNCAError: the name is not known, or PyTorch is asked for and not installed.
    """
    if engine not in ENGINES:
        raise MedNCAError(f"The engine {engine!r} is not known: choose one of {', '.join(ENGINES)}.")
    if engine == "torch" and find_spec("torch") is None:
        raise MedNCAError(
            "The engine 'torch' needs PyTorch, which is not installed: choose 'numpy', which needs nothing."
        )
    return "numpy" if engine == "auto" else engine


def make_kernel(engine: str, rule: Rule, image_channels: int, padding: str, threads: int | None = None):
    """A kernel for one rule; `engine` is "numpy" or "torch"."""
    if engine == "torch":
        from .torch_kernel import TorchKernel  # PyTorch is optional and takes a second to import

        return TorchKernel(rule, image_channels, padding, threads)
    return NumpyKernel(rule, image_channels, padding, threads)
