"""A progress bar on a terminal, and silence anywhere else."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any


class ProgressBar:
    """A bar with the share of the work that is done; `with ProgressBar() as bar: bar.show(0.5, "half way")`.

    It is drawn on stderr if stderr is a terminal and tqdm is installed. `show` is a `Progress`.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._text = ""
        if sys.stderr.isatty() and find_spec("tqdm"):
            from tqdm import tqdm

            layout = "{percentage:3.0f} %|{bar}| {elapsed} < {remaining} {desc}"
            self._bar = tqdm(total=1.0, bar_format=layout, leave=False, file=sys.stderr)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: float, text: str) -> None:
        """Show the share that is done, 0 to 1, and what is going on."""
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
            if text != self._text:
                self._bar.set_description_str(text)
                self._text = text
