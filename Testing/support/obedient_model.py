"""A model whose regrowing is known beforehand: the threshold model, whose cells believe what is said in or beside them.

A cell takes over what is said of one of the nine cells of its own slice around it, and weaker of those in the slices
beside it, against what the image says. What is present it does not look at.
"""

from dataclasses import replace

import numpy as np

from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.hints import HintFormat
from MedNCALib.automaton.rule import Rule
from support.threshold_model import threshold_model

OBEDIENCE = 100  # what a hint weighs, beside 4 of the brightest voxel


def obedient_model(name="obedient", hints=HintFormat(2, 1.5), **settings):  # noqa: B008 (frozen)
    """Channels: image, three that are said, three that are present, three logits."""
    model = threshold_model(name, **settings)
    architecture = replace(model.cascade.architecture, channels=10, hidden=6, filters=3, kernel_size=3, hints=hints)
    arrays = {key: np.zeros(shape, np.float32) for key, shape in architecture.rule_shapes.items()}
    for output in range(3):
        arrays["perception"][output, 1 + output] = 1 / 9
        arrays["hidden"][3 + output, 10 + output] = 1
        arrays["update"][7 + output, 3 + output] = OBEDIENCE
    arrays["hidden"][1:3, 0] = 1
    arrays["hidden_bias"][:3] = 1, -0.25, -0.75
    arrays["update"][7:, :3] = np.diag((0.5, 4, 16))
    return replace(model, cascade=Cascade(architecture, (Rule(**arrays),)))
