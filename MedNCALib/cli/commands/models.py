"""mednca models."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...model.model import Model

SUMMARY = "List the bundled models, and those in the folder that MEDNCA_MODELS names."
DETAILS = ""


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> None:
    """Print the list."""
    from ...model.model import list_models

    models = list_models()
    if options.json:
        print(json.dumps([_described(model) for model in models], indent=2))
        return
    width = max((len(model.name) for model in models), default=0)
    for model in models:
        labels = ", ".join(label.name for label in model.labels)
        finder = ", with a finder" if model.finder else ""
        print(f"{model.name:{width}}  {model.title}: {labels} ({model.size_bytes / 1000:.0f} kB{finder})")
    if not models:
        print("There are no models.")


def _described(model: Model) -> dict[str, Any]:
    shown = ("title", "description", "modality", "anatomy", "licence")
    return {
        "name": model.name,
        **{key: getattr(model.card, key) for key in shown},
        "labels": [{"value": label.value, "name": label.name} for label in model.labels],
        "parameters": model.cascade.parameter_count,
        "size_bytes": model.size_bytes,
        "can_regrow": model.can_regrow,
        "finder": _finder(model.finder) if model.finder else None,
        "folder": str(model.folder),
    }


def _finder(finder: Model) -> dict[str, Any]:
    return {
        "labels": [{"value": label.value, "name": label.name} for label in finder.labels],
        "parameters": finder.cascade.parameter_count,
        "size_bytes": finder.size_bytes,
    }
