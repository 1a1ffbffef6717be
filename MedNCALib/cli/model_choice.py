"""Which model to take for an image if nobody has named one."""

from __future__ import annotations

import sys

import SimpleITK as sitk

from ..errors import MedNCAError
from ..model.model import Model, list_models
from ..segmentation.input_checks import fitting_models


def model_for(image: sitk.Image) -> Model:
    """The one model that fits an image; if it is not one, the user is asked on a terminal.

    Raises:
        MedNCAError: not one model fits, and there is no terminal to ask on.
    """
    models = list_models()
    fitting = fitting_models(image, models)
    if len(fitting) == 1:
        return fitting[0]
    choices = fitting or models
    found = "Several models fit this volume" if fitting else "No model seems to fit this volume"
    if not choices or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        names = ", ".join(model.name for model in choices) or "none"
        raise MedNCAError(f"{found}: name the one to take with -m. There are: {names}.")
    return _asked(f"{found}. Which one shall be taken?", choices)


def _asked(question: str, choices: list[Model]) -> Model:
    lines = [question, *(f"  {number} {model.name}: {model.title}" for number, model in enumerate(choices, 1))]
    print("\n".join(lines), file=sys.stderr)
    while True:
        print("Number: ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            raise MedNCAError("No model was chosen: name one with -m.")
        if answer.strip().isdigit() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
