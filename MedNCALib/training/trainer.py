"""The loop: batches, averaged weights, validation, checkpoints.

Every random choice follows from the seed and the batch's number, so a training that was killed and resumed gives the
same weights as one that went through.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from ..errors import TrainingError
from ..model.model import Model
from ..progress import Progress, ignore_progress
from .batch import Batch, known_on_both_sides
from .checkpoint import Checkpoint
from .events import Advanced, Listener, Started, ValidationDone, ignore_events, never
from .length import Length
from .log import TrainingLog
from .preparation import Prepared
from .preset import Preset
from .recipe import Randomness, Recipe
from .workers import one_thread_a_product, training_threads, usable_cores

# So much work is lost at most if a training is killed; writing the checkpoint of a cascade takes milliseconds.
CHECKPOINT_SECONDS = 5.0
_REPORT_EVERY = 20  # batches
_EVENT_SECONDS = 1.0  # between two events that say where the training stands
_PREVIEW_SECONDS = 60.0
_LOSSES = 100  # batches whose mean loss is reported

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class _Drawn:
    """A batch that is drawn and augmented, and the random choices that are left for its loss."""

    batch: Batch
    random: Randomness


class Trainer:
    """One training.

    Args:
        data: the model before training, its slices and its validation.
        preset: the settings.
        recipe: network, optimisers, learning rate and loss.
        folder: where the checkpoint and the log lie.
        seed: of all random choices.
        length: when to stop.
        keep: called with each model that is better than those before.
        progress: called with the share that is done and a message.
        checkpoint_seconds: time between two checkpoints.
        listen: called with each event.
        stop: asked before each batch whether to end the training there.
        threads: that compute; None for the processor's.
    """

    def __init__(
        self,
        data: Prepared,
        preset: Preset,
        recipe: Recipe[Any],
        folder: Path,
        seed: int,
        length: Length,
        keep: Callable[[Model], object],
        progress: Progress = ignore_progress,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        listen: Listener = ignore_events,
        stop: Callable[[], bool] = never,
        threads: int | None = None,
    ) -> None:
        self._data, self._preset, self._recipe = data, preset, recipe
        self._folder, self._seed, self._length = folder, seed, length
        self._keep, self._progress, self._checkpoint_seconds = keep, progress, checkpoint_seconds
        self._listen, self._stop, self._threads = listen, stop, threads or usable_cores()
        architecture = data.model.cascade.architecture
        self._checkpoint = Checkpoint(folder / "checkpoint.pt", preset, architecture, seed)
        self._log = TrainingLog(folder / "log.csv", data.validation.names)

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = recipe.build_network()
        self._network.load_rules(data.model.cascade.rules)
        self._network.to(self._device)
        self._optimisers = recipe.build_optimisers(self._network)
        self._average: Weights = {name: value.clone() for name, value in self._network.state_dict().items()}
        self._losses: deque[float] = deque(maxlen=_LOSSES)

        self._batch = 0
        self._seconds = 0.0
        self._validations = 0
        self._validated_batch = 0
        self._previewed = 0.0  # working time
        self._stopped = False
        self._best_score = -1.0
        self._best_weights: Weights | None = None
        self._held_out_weights: Weights | None = None  # the best before all cases are trained on
        self._kept_aside_batches: int | None = None

    @property
    def batches(self) -> int:
        """Batches done so far."""
        return self._batch

    @property
    def kept_aside_batches(self) -> int | None:
        """Batches after which the validation cases were trained on too; None if they were not."""
        return self._kept_aside_batches

    @property
    def stopped(self) -> bool:
        """Whether the training was asked to end before its length."""
        return self._stopped

    @property
    def minutes(self) -> float:
        """Working time so far."""
        return self._seconds / 60

    def resume(self) -> None:
        """Go on from the checkpoint.

        Raises:
            TrainingError: there is none, or it belongs to other settings.
        """
        saved = self._checkpoint.load(self._device)
        self._network.load_state_dict(saved["network"])
        self._average = saved["average"]
        for optimiser, state in zip(self._optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        self._batch, self._seconds = saved["batch"], saved["seconds"]
        self._validated_batch, self._previewed = self._batch, self._seconds
        self._best_score, self._best_weights = saved["best"], saved["best_weights"]
        self._held_out_weights = saved.get("held_out_weights")
        self._kept_aside_batches = saved.get("kept_aside_batches")
        # Not from the checkpoint: if the training goes on for longer than it began, what is added is validated too.
        self._validations = self._due_validations()
        self._log.go_on(self._batch)

    def run(self) -> Model:
        """Train to the end, or until it is asked to stop; the model with the best weights.

        Raises:
            TrainingError: the loss is no longer a number, or the end was reached before the first validation.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._batch == 0:
            self._log.begin()
            self._save_checkpoint()
        self._listen(self._start())
        if self._batch == 0 and self._data.is_adapted:
            self._validate()  # what does worse than the model before is not kept
        ahead = ThreadPoolExecutor(1, "batches", initializer=one_thread_a_product)
        with training_threads(self._threads, self._recipe.divides_samples), ahead:
            self._run_batches(ahead)
            is_new = self._batch > self._validated_batch or (self._batch and self._best_weights is None)
            if self._stopped and is_new:
                self._take_stock()  # not in the checkpoint: what goes on from there is what was not stopped
        model = self.best()
        if model is None and self._stopped:
            raise TrainingError("The training was stopped before its first batch: there is nothing to keep.")
        if model is None:
            raise TrainingError("The training ended before its first validation: train for longer.")
        return model

    def _run_batches(self, ahead: ThreadPoolExecutor) -> None:
        """All batches, each drawn by another thread while the one before it is learned from."""
        first, began = self._batch, self._seconds
        started, saved, said = time.monotonic() - self._seconds, time.monotonic(), 0.0
        upcoming: Future[_Drawn] = ahead.submit(self._draw, self._batch, self._done())
        while self._done() < 1:
            if self._stop():
                self._stopped = True
                break
            drawn, done, following = upcoming.result(), self._done(), self._batch + 1
            if (then := self._length.progress(following, self._seconds)) < 1:
                upcoming = ahead.submit(self._draw, following, then)
            self._losses.append(self._learn(drawn, done))
            self._batch += 1
            self._seconds = time.monotonic() - started
            self._look_on()
            self._seconds = time.monotonic() - started
            if time.monotonic() - saved > self._checkpoint_seconds or self._done() >= 1:
                self._save_checkpoint()
                saved = time.monotonic()
            if time.monotonic() - said > _EVENT_SECONDS or self._done() >= 1:
                said = time.monotonic()
                self._listen(self._advanced((self._seconds - began) / (self._batch - first)))
            if self._batch % _REPORT_EVERY == 0:
                best = f", best {self._best_score:.3f}" if self._best_weights else ""
                self._progress(self._done(), f"batch {self._batch}, loss {np.mean(self._losses):.3f}{best}")
        if self._stopped:
            self._save_checkpoint()

    def _look_on(self) -> None:
        """Validate or preview if it is time to; let the validation cases teach if it is time to."""
        joins = not self._trains_on_all and self._is_for_all(self._done())
        if joins or self._due_validations() > self._validations:
            self._validations = self._due_validations()
            self._take_stock()
        elif self._seconds - self._previewed > _PREVIEW_SECONDS:
            self._preview(self._model_of(self._average), None)
        if joins:
            self._held_out_weights, self._kept_aside_batches = self._best_weights, self._batch

    def _start(self) -> Started:
        return Started(
            batches=self._length.batches,
            minutes=self._length.clock_minutes,
            parameters=sum(value.numel() for value in self._network.parameters()),
            device=self._device.type,
            labels=tuple(label.name for label in self._data.model.labels),
            cases={"train": self._data.case_count, "validation": self._data.validation_count},
            batch=self._batch,
        )

    def _advanced(self, seconds_a_batch: float) -> Advanced:
        return Advanced(
            batch=self._batch,
            batches=self._length.batches,
            seconds=round(self._seconds, 1),
            seconds_left=round(self._length.seconds_left(self._batch, self._seconds, seconds_a_batch), 1),
            learning_rate=self._optimisers[0].param_groups[0]["lr"],
            loss=round(float(np.mean(self._losses)), 5),
        )

    def best(self) -> Model | None:
        """The best model so far, None before the first validation.

        Its weights are those that did best on the validation cases; if these are trained on by now, the latest.
        """
        return None if self._best_weights is None else self._model_of(self._best_weights)

    def held_out(self) -> Model | None:
        """The best model from before the validation cases were trained on; None if they were not."""
        return None if self._held_out_weights is None else self._model_of(self._held_out_weights)

    def _model_of(self, weights: Weights) -> Model:
        network = self._recipe.build_network()
        network.load_state_dict({name: value.cpu() for name, value in weights.items()})
        return replace(self._data.model, cascade=network.to_cascade())

    @property
    def _trains_on_all(self) -> bool:
        return self._held_out_weights is not None

    def _is_for_all(self, done: float) -> bool:
        """Whether the validation cases are trained on too when this share of the training is done."""
        return self._data.sampler_of_all is not None and done >= self._preset.kept_aside_until

    def _done(self) -> float:
        return self._length.progress(self._batch, self._seconds)

    def _due_validations(self) -> int:
        return int(self._done() * self._length.validations)

    def _draw(self, number: int, done: float) -> _Drawn:
        """The batch of a number, augmented; it follows from the seed, the number and the share that is done."""
        choices = np.random.default_rng([self._seed, number])
        generator = torch.Generator(self._device).manual_seed(int(choices.integers(1 << 62)))
        sampler = self._data.sampler_of_all if self._trains_on_all or self._is_for_all(done) else None
        batch = (sampler or self._data.sampler).draw_batch(number, choices).to(self._device)
        return _Drawn(self._augmented(batch, done, generator), Randomness(choices, generator))

    def _learn(self, drawn: _Drawn, done: float) -> float:
        """One step of the optimisers; the loss."""
        rate = self._recipe.learning_rate(done, self._batch)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        self._recipe.prepare(self._network, done)
        loss = self._recipe.loss(self._network, drawn.batch, drawn.random)
        if not torch.isfinite(loss):
            raise TrainingError(f"The loss is no longer a number at batch {self._batch}: lower the learning rate.")
        self._network.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.largest_gradient)
        for optimiser in self._optimisers:
            optimiser.step()
        self._update_average()
        return loss.item()

    def _augmented(self, batch: Batch, done: float, generator: torch.Generator) -> Batch:
        augmentation, data = self._preset.augmentation_at(done), self._data
        channels, target, beside, known = batch.target.shape[1], batch.target, batch.beside, batch.known
        mirrored = self._preset.mirrored_target(channels)
        if beside is not None:  # warped with the sample's own slice
            target = torch.cat([target, beside], dim=1)
            mirrored = mirrored and [*mirrored, *(channels + number for number in mirrored)]
        if known is not None and mirrored:
            known = known_on_both_sides(known, mirrored[:channels], batch.wholes)
        image, target = augmentation.warp(batch.image, target, data.canvas, data.mirror, generator, mirrored)
        image, target = augmentation.empty(image, target, generator)
        if beside is not None:
            target, beside = target.split(channels, dim=1)
        image = augmentation.change_intensities(image, generator)
        image = data.model.normalisation.normalise_local_contrast(
            image, lambda matrix: torch.from_numpy(matrix).to(self._device)
        )
        return replace(batch, image=image, target=target, beside=beside, known=known)

    def _update_average(self) -> None:
        # Young averages forget faster, so that the untrained weights do not linger.
        decay = min(self._preset.ema_decay, (1 + self._batch) / (10 + self._batch))
        for name, value in self._network.state_dict().items():
            self._average[name].lerp_(value, 1 - decay)

    def _take_stock(self) -> None:
        """Keep the weights if they are the best; once all cases are trained on, nothing can say so but time."""
        if not self._trains_on_all:
            self._validate()
            return
        model, self._validated_batch = self._model_of(self._average), self._batch
        self._best_weights = {name: value.clone() for name, value in self._average.items()}
        self._keep(model)
        self._preview(model, None)

    def _validate(self) -> None:
        model = self._model_of(self._average)
        found = self._data.validation(model)
        self._validated_batch = self._batch
        rate = self._optimisers[0].param_groups[0]["lr"]
        loss = float(np.mean(self._losses)) if self._losses else float("nan")
        self._log.add(self._batch, self._seconds, rate, loss, found.figures)
        is_best = found.score > self._best_score
        if is_best:
            self._best_score = found.score
            self._best_weights = {name: value.clone() for name, value in self._average.items()}
            self._keep(model)
        self._listen(ValidationDone(self._batch, round(self._seconds, 1), found.dice, found.whole, is_best))
        self._preview(model, found.first)
        self._progress(self._done(), f"batch {self._batch}: validation {found.summary}, best {self._best_score:.4f}")

    def _preview(self, model: Model, labels: sitk.Image | None) -> None:
        """Show the present result, if somebody looks on."""
        self._previewed = self._seconds
        if self._data.preview is not None and self._listen is not ignore_events:
            self._listen(self._data.preview.write(model, labels, self._folder, self._batch))

    def _save_checkpoint(self) -> None:
        self._checkpoint.save(
            {
                "network": self._network.state_dict(),
                "average": self._average,
                "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
                "batch": self._batch,
                "seconds": self._seconds,
                "best": self._best_score,
                "best_weights": self._best_weights,
                "held_out_weights": self._held_out_weights,
                "kept_aside_batches": self._kept_aside_batches,
            }
        )
