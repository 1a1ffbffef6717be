"""Checkpoints: what a training has come to, with the settings that it was started with."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..atomic_write import written_whole
from ..automaton.architecture import Architecture
from ..errors import TrainingError
from .preset import Preset

# What PyTorch's reader raises for a damaged file, and what a file of other contents leads to.
_UNREADABLE = (RuntimeError, OSError, EOFError, pickle.UnpicklingError, ValueError, KeyError, TypeError)


class Checkpoint:
    """A file that a training goes on from.

    Args:
        file: where it lies.
        preset, architecture, seed: settings of the training. The preset's texts for the card, which change nothing
            that is learned, may differ when it goes on.
    """

    def __init__(self, file: Path, preset: Preset, architecture: Architecture, seed: int) -> None:
        self._file = file
        self._preset, self._architecture, self._seed = preset, architecture, seed

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the state of a training: tensors, numbers, and containers of them.

        Raises:
            MedNCAError: the file cannot be written; an older one is as it was.
        """
        # As text, since a checkpoint holds plain types only.
        settings = {
            "preset": json.dumps(self._preset.to_json()),
            "architecture": json.dumps(self._architecture.to_json()),
            "seed": self._seed,
        }
        with written_whole(self._file) as path:
            try:
                torch.save({"settings": settings, **state}, path)
            except RuntimeError as error:  # what PyTorch's writer raises if the system refuses to write
                raise OSError(f"PyTorch reports {str(error).splitlines()[0]!r}") from error

    def load(self, device: torch.device) -> dict[str, Any]:
        """The state that was saved.

        Raises:
            TrainingError: there is none, it cannot be read, or it belongs to other settings.
        """
        if not self._file.is_file():
            raise TrainingError(f"There is nothing to resume: {self._file} is missing. Start without --resume.")
        try:
            state: dict[str, Any] = torch.load(self._file, map_location=device, weights_only=True)
            settings = state.pop("settings")
            preset = Preset.from_json(json.loads(settings["preset"]))
            preset = replace(preset, card=self._preset.card, data=self._preset.data)
            architecture = Architecture.from_json(json.loads(settings["architecture"]))
        except _UNREADABLE as error:
            raise TrainingError(
                f"The checkpoint {self._file} cannot be read: it is damaged or was written by another version of "
                "MedNCA. Start anew with --overwrite."
            ) from error
        if (preset, architecture, settings["seed"]) != (self._preset, self._architecture, self._seed):
            raise TrainingError(
                f"The training in {self._file.parent.parent} was started with other settings. Resume it with the same "
                "preset, seed and labels, or start a new one in another folder."
            )
        return state
