"""A progress bar on a terminal, and silence anywhere else."""

from __future__ import annotations

import sys
from importlib.util import find_spec


class ProgressBar:
    """A bar that shows which share of the work is done; `with ProgressBar() as bar: bar.show(0.5, "half way")`.

    It is drawn on stderr, where stderr is a terminal and tqdm is installed.
    """

    def __init__(self):
        self._bar, self._text = None, ""
        if sys.stderr.isatty() and find_spec("tqdm"):
            from tqdm import tqdm

            layout = "{percentage:3.0f} %|{bar}| {elapsed} < {remaining} {desc}"
            self._bar = tqdm(total=1.0, bar_format=layout, leave=False, file=sys.stderr)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, fraction: float, text: str) -> None:
        """Show the share done, 0 to 1, and what is going on."""
        if self._bar is not None:
            self._bar.update(fraction - self._bar.n)
            if text != self._text:
                self._bar.set_description_str(text)
                self._text = text
