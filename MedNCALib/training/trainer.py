"""The loop: batches, averaged weights, validation, checkpoints.

Every random choice follows from the seed and the batch's number, so a run that was killed and resumed gives the same
weights as one that went through.
"""

from __future__ import annotations

import csv
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..atomic_write import written_whole
from ..automaton.architecture import Architecture
from ..errors import TrainingError
from ..evaluation.metrics import dice
from ..model.model import Model
from ..segmentation.segmenter import segment
from .loss import dice_and_cross_entropy
from .network import Network
from .preparation import Prepared, ValidationCase
from .preset import Preset

_VALIDATIONS = 16  # over a whole run; a short one by the clock has one a minute, since each costs seconds
_WARM_UP = 0.02


@dataclass(frozen=True)
class Length:
    """How long to train: a number of batches, or minutes of working time."""

    batches: int | None = None
    minutes: float | None = None

    @property
    def validations(self) -> int:
        """How often to validate over the whole run; four times at least."""
        return _VALIDATIONS if self.batches else int(min(_VALIDATIONS, max(4, self.minutes)))

    def progress(self, batch: int, seconds: float) -> float:
        """Share that is done, 0 to 1."""
        return min(1.0, batch / self.batches if self.batches else seconds / (60 * self.minutes))


class Trainer:
    """One training run.

    Args:
        data: the model before training, its slices and validation volumes.
        preset: the settings.
        folder: the model folder; `training/` in it holds the checkpoint and the log.
        seed: of all random choices.
        length: when to stop.
        report: called with (share done, message).
    """

    def __init__(
        self,
        data: Prepared,
        preset: Preset,
        folder: Path,
        seed: int,
        length: Length,
        report: Callable[[float, str], None],
    ):
        self._data, self._preset, self._folder, self._seed = data, preset, folder, seed
        self._length, self._report = length, report
        self._architecture: Architecture = data.model.cascade.architecture
        coarsest = self._architecture.stages[0].scale
        self._canvas = preset.canvas or tuple(-(-length // coarsest) * coarsest for length in data.sampler.size)
        self._crops = [crop and tuple(min(pair) for pair in zip(crop, self._canvas)) for crop in preset.crops]
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._generator = torch.Generator(self._device)
        self._network = self.build_network()
        self._network.load_rules(data.model.cascade.rules)
        self._network.to(self._device)
        self._average = {name: value.clone() for name, value in self._network.state_dict().items()}
        self._optimisers = self.build_optimisers()
        self._batch, self._seconds, self._best, self._validated = 0, 0.0, -1.0, 0
        self._best_weights = None
        self._checkpoint = folder / "training" / "checkpoint.pt"
        self._log = folder / "training" / "log.csv"
        self._losses: deque[float] = deque(maxlen=100)

    @property
    def batches(self) -> int:
        """Batches done so far."""
        return self._batch

    @property
    def minutes(self) -> float:
        """Working time so far."""
        return self._seconds / 60

    def resume(self) -> None:
        """Go on from the checkpoint.

        Raises:
            TrainingError: there is none, or it belongs to other settings.
        """
        if not self._checkpoint.is_file():
            raise TrainingError(f"There is nothing to resume: {self._checkpoint} is missing. Start without --resume.")
        saved = torch.load(self._checkpoint, map_location=self._device, weights_only=True)
        if saved["settings"] != self._settings():
            raise TrainingError(
                f"The run in {self._folder} was started with other settings. Resume it with the same preset, seed and "
                "architecture, or start a new one in another folder."
            )
        self._network.load_state_dict(saved["network"])
        self._average = saved["average"]
        for optimiser, state in zip(self._optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        self._batch, self._seconds = saved["batch"], saved["seconds"]
        self._best, self._best_weights = saved["best"], saved["best_weights"]
        # Not from the checkpoint: a run that goes on for longer than it began is validated in what is added, too.
        self._validated = int(self._length.progress(self._batch, self._seconds) * self._length.validations)
        with open(self._log, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row[0] == "batch" or int(row[0]) <= self._batch]
        with written_whole(self._log) as path, open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    def run(self) -> Model:
        """Train to the end, write the best weights to the model folder and return that model."""
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if self._batch == 0:
            self._write_log(["batch", "seconds", "learning_rate", "loss", *self._score_names()], "w")
            self._save_checkpoint()
        started, saved = time.monotonic() - self._seconds, time.monotonic()
        while (done := self._length.progress(self._batch, self._seconds)) < 1:
            self._losses.append(self._train_batch(done))
            self._batch += 1
            self._seconds = time.monotonic() - started
            done = self._length.progress(self._batch, self._seconds)
            due = int(done * self._length.validations)
            if due > self._validated:
                self._validated = due
                self._validate(done)
                self._seconds = time.monotonic() - started
            if time.monotonic() - saved > self.checkpoint_seconds or done >= 1:
                self._save_checkpoint()
                saved = time.monotonic()
            if self._batch % 20 == 0:
                best = f", best {self._best:.3f}" if self._best_weights else ""
                self._report(done, f"batch {self._batch}, loss {np.mean(self._losses):.3f}{best}")
        return self.best()

    def best(self) -> Model | None:
        """The model with the weights that did best on the validation cases so far; None before the first."""
        if self._best_weights is None:
            return None
        self._network.load_state_dict(self._best_weights)
        return replace(self._data.model, cascade=self._network.to_cascade())

    # What a training is made of; a comparison with other networks and recipes overrides these.

    largest_gradient = 1.0
    checkpoint_seconds = 5.0  # so much work is lost at most when a run is killed; writing one takes milliseconds

    def build_network(self) -> torch.nn.Module:
        """The network before training: has `load_rules` and `to_cascade`."""
        return Network(self._architecture)

    def build_optimisers(self) -> list[torch.optim.Optimizer]:
        """Muon (https://kellerjordan.github.io/posts/muon) for the matrices, Adam for the biases.

        Their learning rate is set before each batch.
        """
        matrices = [value for value in self._network.parameters() if value.dim() == 2]
        biases = [value for value in self._network.parameters() if value.dim() == 1]
        return [
            # Scaled so that a step is about as large as Adam's with the same rate (Liu et al., arXiv 2502.16982).
            torch.optim.Muon(matrices, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.Adam(biases, betas=(0.9, 0.99)),
        ]

    def learning_rate(self, done: float) -> float:
        """For the next batch, when this share of the training is done."""
        largest, begin, end = self._preset.learning_rate, 0.0, 1 - self._preset.restart
        if done >= end:
            largest, begin, end = self._preset.restart_learning_rate, end, 1.0
        part = (done - begin) / (end - begin)
        warm = min(1.0, (part + 1e-4) / _WARM_UP)
        return largest * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * part)) / 2)

    def loss(self, image: Tensor, target: Tensor, random: np.random.Generator) -> Tensor:
        """Loss of the last stage's output, and with less weight of the coarser stages'."""
        preset, network, stages = self._preset, self._network, self._architecture.stages
        state, total = None, 0.0
        for index, (stage, automaton) in enumerate(zip(stages, network.automata)):
            if self._crops[index]:
                coarser = stages[index - 1].scale if index else stage.scale
                image, target, state = crop(
                    image, target, state, self._crops[index], coarser, preset.foreground, random
                )
            state = network.initial_state(image, index, state)
            last = stage is stages[-1]
            low, high = (round(stage.steps * (1 + sign * preset.jitter)) for sign in (-1, 1))
            if last and random.random() < preset.rest:
                with torch.no_grad():  # from wherever it has got to, the result has to stay
                    state = automaton(state, int(random.integers(stage.steps, 2 * stage.steps + 1)), self._generator)
            state = automaton(state, int(random.integers(low, high + 1)), self._generator)
            weight = 1.0 if last else preset.supervision
            if weight:
                small = F.avg_pool2d(target, stage.scale)
                activation = self._architecture.activation
                total += weight * dice_and_cross_entropy(
                    network.logits(state), small, activation, preset.dice_weight, preset.dice_over
                )
        return total

    def keep(self, model: Model) -> None:
        """Save the best model so far."""
        model.save(self._folder)

    def _train_batch(self, done: float) -> float:
        random = np.random.default_rng([self._seed, self._batch])
        self._generator.manual_seed(int(random.integers(1 << 62)))
        for group in self._parameter_groups():
            group["lr"] = self.learning_rate(done)
        image, target = (tensor.to(self._device) for tensor in self._data.sampler.draw(random))
        augmentation = self._preset.build_augmentation(done)
        image, target = augmentation.warp(image, target, self._canvas, self._data.mirror, self._generator)
        image = augmentation.change_intensities(image, self._generator)
        image = self._data.model.normalisation.normalise_local_contrast(
            image, lambda matrix: torch.from_numpy(matrix).to(image.device)
        )
        loss = self.loss(image, target, random)
        if not torch.isfinite(loss):
            raise TrainingError(f"The loss is no longer a number at batch {self._batch}: lower the learning rate.")
        self._network.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self.largest_gradient)
        for optimiser in self._optimisers:
            optimiser.step()
        self._update_average()
        return loss.item()

    def _parameter_groups(self) -> list[dict]:
        return [group for optimiser in self._optimisers for group in optimiser.param_groups]

    def _update_average(self) -> None:
        # Young averages forget faster, so that the untrained weights do not linger.
        decay = min(self._preset.averaging, (1 + self._batch) / (10 + self._batch))
        for name, value in self._network.state_dict().items():
            self._average[name].lerp_(value, 1 - decay)

    def _validate(self, done: float) -> None:
        network = self.build_network()
        network.load_state_dict({name: value.cpu() for name, value in self._average.items()})
        model = replace(self._data.model, cascade=network.to_cascade())
        scores = validation_scores(model, self._data.validation)
        rate = self._parameter_groups()[0]["lr"]
        row = [self._batch, f"{self._seconds:.1f}", f"{rate:.6f}", f"{np.mean(self._losses):.4f}"]
        self._write_log([*row, *(f"{score:.4f}" for score in scores)], "a")
        mean = float(np.mean(scores[:-1]))
        if mean > self._best:
            self._best = mean
            self._best_weights = {name: value.clone() for name, value in self._average.items()}
            self.keep(model)
        now = f"mean Dice of the labels {mean:.4f}, whole {scores[-1]:.4f}"
        self._report(done, f"batch {self._batch}: validation {now}, best {self._best:.4f}")

    def _score_names(self) -> list[str]:
        return [*(f"dice_{label.name}" for label in self._data.model.labels), "dice_whole"]

    def _write_log(self, row: list, mode: str) -> None:
        with open(self._log, mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)

    def _settings(self) -> dict:
        # Through text, since a checkpoint holds plain types only; the card's words change nothing that is learned.
        return {
            "preset": repr(replace(self._preset, card={})),
            "architecture": repr(asdict(self._architecture)),
            "seed": self._seed,
        }

    def _save_checkpoint(self) -> None:
        with written_whole(self._checkpoint) as path:
            torch.save(
                {
                    "settings": self._settings(),
                    "network": self._network.state_dict(),
                    "average": self._average,
                    "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
                    "batch": self._batch,
                    "seconds": self._seconds,
                    "best": self._best,
                    "best_weights": self._best_weights,
                },
                path,
            )


def crop(
    image: Tensor,
    target: Tensor,
    state: Tensor | None,
    size: tuple[int, int],
    scale: int,
    foreground: float,
    random: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The same random window of each sample's image, target and state.

    Args:
        image: (N, image_channels, H, W).
        target: (N, K, H, W), shares of the labels.
        state: (N, C, H / scale, W / scale), or None before the first stage.
        size: rows and columns of the window, multiples of `scale`, as is where it begins.
        foreground: share of windows that are drawn around a pixel with a label.
    """
    images, targets, states = [], [], []
    for number in range(len(target)):
        pixel = None
        if random.random() < foreground:
            places = (target[number].sum(dim=0) >= 0.5).nonzero()
            if len(places):
                pixel = places[int(random.integers(len(places)))].tolist()
        first = []
        for axis, (length, wanted) in enumerate(zip(target.shape[2:], size)):
            low, high = 0, (length - wanted) // scale
            if pixel is not None:  # keep it inside, anywhere
                low, high = max(low, -(-(pixel[axis] - wanted + 1) // scale)), min(high, pixel[axis] // scale)
            first.append(scale * int(random.integers(low, high + 1)))
        window = tuple(slice(start, start + wanted) for start, wanted in zip(first, size))
        images.append(image[(number, slice(None), *window)])
        targets.append(target[(number, slice(None), *window)])
        if state is not None:
            small = tuple(slice(part.start // scale, part.stop // scale) for part in window)
            states.append(state[(number, slice(None), *small)])
    return torch.stack(images), torch.stack(targets), torch.stack(states) if states else None


def validation_scores(model: Model, cases: Sequence[ValidationCase]) -> list[float]:
    """Mean hard Dice on the input's own grid, single run, seed 0: of each label, and of all labels merged."""
    scores = []
    for case in cases:
        truth = sitk.GetArrayViewFromImage(case.labels)
        found = sitk.GetArrayFromImage(segment(case.image, model).labels)
        by_label = [dice(truth == label.value, found == label.value) for label in model.labels]
        scores.append([*by_label, dice(truth > 0, found > 0)])
    return np.mean(scores, axis=0).tolist()
