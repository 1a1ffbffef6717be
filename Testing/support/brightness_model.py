"""Volumes and a model whose segmentation is known to the voxel, for the tests of everything that touches the scene."""

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.rule import Rule
from MedNCALib.imaging.labels import read_labels
from MedNCALib.imaging.laterality import split_by_side
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.model.card import ModelCard
from MedNCALib.model.model import Model

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = REPOSITORY / "MedNCA" / "MedNCA.py"
# As Slicer does with the folder of a module, so that its packages can be imported also where the module is not loaded.
sys.path.append(str(MODULE.parent))

# Voxel values that the model below calls label 1 and label 2 in an image that reaches from 0 to 100.
BRIGHT, MIDDLE = 100, 60


def brightness_model(folder, steps=2, name="brightness", labels=None) -> Model:
    """Save and return a model that needs no training: bright voxels are label 1, those of middle brightness label 2.

    It works on the image's own grid and every cell fires, so that its labels are the intensities, voxel for voxel. The
    labels are those of the bundled hippocampus model. `steps` is the number of steps of each of its two stages.
    """
    architecture = Architecture(
        channels=4, hidden=3, filters=1, kernel_size=3, image_channels=1, outputs=3, activation="softmax",
        fire_rate=1.0, padding="edge", downscale="area", handover="nearest", stages=(Stage(2, steps), Stage(1, steps)),
    )  # fmt: skip
    shapes = architecture.rule_shapes
    silent = {parameter: np.zeros(shape, np.float32) for parameter, shape in shapes.items()}
    deciding = {parameter: array.copy() for parameter, array in silent.items()}
    # Hidden cells: 1, relu(x - 0.4), relu(x - 0.8); outputs: background, label 1, label 2.
    deciding["hidden"][1:, 0] = 1
    deciding["hidden_bias"][:] = 1, -0.4, -0.8
    deciding["update"][1:] = [[1, 0, 0], [0, 0, 100], [0, 20, -200]]
    card = ModelCard(
        name=name, title=f"{name} (test)", description="Bright voxels", modality="test images", anatomy="none",
        licence="Apache-2.0",
    )  # fmt: skip
    model = Model(
        card,
        Cascade(architecture, (Rule(**silent), Rule(**deciding))),
        SliceFormat("PIL", (None, None, None)),
        Normalisation("volume", (0.0, 100.0)),
        labels or split_by_side(read_labels(REPOSITORY / "weights" / "hippocampus-mr" / "labels.csv"))[0],
    )
    return model.save(Path(folder) / name)


def boxes_image(size=(20, 24, 16), spacing=(1.0, 1.5, 2.0), origin=(-7.0, 11.0, 30.0), direction=None) -> sitk.Image:
    """An int16 image with a bright and a middle box in the dark, that touch and lie off the centre."""
    voxels = np.zeros(size[::-1], np.int16)
    voxels[3:8, 5:12, 4:9] = BRIGHT
    voxels[3:8, 12:20, 4:9] = MIDDLE
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(np.ravel(direction).tolist())
    return image


def truth_of(image: sitk.Image) -> np.ndarray:
    """The labels that the brightness model gives: uint8, shape (slices, rows, columns)."""
    voxels = sitk.GetArrayViewFromImage(image)
    return np.select([voxels == BRIGHT, voxels == MIDDLE], [1, 2]).astype(np.uint8)


def rotation(degrees=(20, -35, 50)) -> np.ndarray:
    """A rotation matrix that leaves no axis where it was."""
    a, b, c = np.deg2rad(degrees)
    around_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    around_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    around_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return around_z @ around_y @ around_x
