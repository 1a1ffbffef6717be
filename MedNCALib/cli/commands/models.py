"""mednca models."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ModelError

if TYPE_CHECKING:
    from ...model.model import Model

SUMMARY = "List the bundled models, and those in the folder that MEDNCA_MODELS names; pass one on, or take one in."
DETAILS = "A model that is added is checked before, and no code of it is run."


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", nargs=2, metavar=("MODEL", "FILE"), help="write a model as one zip file")
    what.add_argument(
        "--add",
        type=Path,
        metavar="FILE",
        help="copy a model from a zip file or a folder to the folder of MEDNCA_MODELS",
    )


def run(options: Namespace) -> None:
    """Print the list, or write or add a model."""
    from ...model.model import list_models, load_model
    from ...model.model_archive import add_model, export_model

    if options.export:
        name, file = options.export
        print(export_model(load_model(name), file))
        return
    if options.add:
        directory = os.environ.get("MEDNCA_MODELS")
        if not directory:
            raise ModelError("Name the folder of your models in the environment variable MEDNCA_MODELS.")
        print(add_model(options.add, directory).folder)
        return
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
