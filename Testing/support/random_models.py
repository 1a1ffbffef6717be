"""Small untrained automata and models for tests."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.rule import Rule
from MedNCALib.imaging.labels import Label
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.model.card import ModelCard
from MedNCALib.model.model import Model

KERNELS = ["numpy", *(["torch"] if find_spec("torch") else [])]

CARD = {
    "name": "random",
    "title": "Random",
    "description": "An untrained model.",
    "modality": "any",
    "anatomy": "any",
    "licence": "CC0 1.0",
}
LABELS = (Label(1, "first", (230, 159, 0)), Label(2, "second", (86, 180, 233)))


def random_rule(channels=8, filters=None, hidden=24, kernel_size=3, seed=0, strength=0.3):
    """A rule whose states move visibly and stay within some units over 32 steps."""
    random = np.random.default_rng(seed)
    shapes = Rule.shapes(channels, filters or 2 * channels, hidden, kernel_size)
    parameters = {
        name: (random.standard_normal(shape) * strength / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        for name, shape in shapes.items()
    }
    return Rule(**parameters)


def random_model(
    stages=((4, 4), (2, 3), (1, 3)),
    axes="PIL",
    spacing=(1.0, 1.0, 1.0),
    image_channels=3,
    channels=10,
    labels=LABELS,
    handover="linear",
    strength=1.0,
    hints=None,
    **card,
):
    """A cascade of random rules that paints both labels somewhere."""
    architecture = Architecture(
        channels=channels,
        hidden=24,
        filters=2 * channels,
        kernel_size=3,
        image_channels=image_channels,
        outputs=len(labels) + 1,
        activation="softmax",
        fire_rate=0.5,
        padding="edge",
        downscale="area",
        handover=handover,
        stages=tuple(Stage(*stage) for stage in stages),
        hints=hints,
    )
    rules = tuple(random_rule(channels, seed=seed, strength=strength) for seed in range(len(stages)))
    normalisation = Normalisation("volume", (0.5, 99.5))
    return Model(
        ModelCard.from_json({**CARD, **card}),
        Cascade(architecture, rules),
        SliceFormat(axes, spacing),
        normalisation,
        labels,
    )


def spot_model(stages=((4, 6), (2, 2), (1, 3)), **settings):
    """A random model to which only bright cells may belong to a label, in each of its stages.

    In each step in which a cell fires, the logit of the background rises, and falls again if the image is bright there.
    """
    model = random_model(stages, strength=0.5, **settings)
    cascade, architecture = model.cascade, replace(model.cascade.architecture, fire_rate=0.8)
    first = architecture.fixed_channels
    rules = []
    for rule in cascade.rules:
        hidden, bias, update = rule.hidden.copy(), rule.hidden_bias.copy(), rule.update.copy()
        hidden[:2], update[:, :2] = 0, 0
        hidden[1, architecture.image_channels // 2] = 12  # the slice itself, between its neighbours
        bias[:2] = 3, -6
        update[first : first + 3, :2] = [[1, -2], [0, 2], [0, 0]]
        rules.append(replace(rule, hidden=hidden, hidden_bias=bias, update=update))
    return replace(model, cascade=replace(cascade, architecture=architecture, rules=tuple(rules)))
