"""Small images of any size, spacing and direction; every axis order."""

from itertools import permutations, product

import numpy as np
import SimpleITK as sitk

AXIS_ORDERS = ["".join(letters) for order in permutations(("LR", "PA", "SI")) for letters in product(*order)]


def image_of(array, spacing=(1.0, 1.0, 1.0), origin=(10.0, -20.0, 30.0), direction=None):
    image = sitk.GetImageFromArray(np.asarray(array))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(np.asarray(direction, float).ravel())
    return image


def random_image(size=(7, 8, 9), **geometry):
    return image_of(np.random.default_rng(0).random(size[::-1], np.float32), **geometry)


def turned(degrees):
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]


def oblique_stack(size, spacing):
    """A short-axis view of the heart, say: no axis of it is near to one of the body's."""
    about_z, about_x = (sitk.Euler3DTransform() for _ in range(2))
    about_z.SetRotation(0, 0, np.radians(-50))
    about_x.SetRotation(np.radians(40), np.radians(25), 0)
    direction = np.reshape(about_z.GetMatrix(), (3, 3)) @ np.reshape(about_x.GetMatrix(), (3, 3))
    return random_image(size, spacing=spacing, direction=direction)


def noise_image(size=(18, 21, 15), seed=0, spacing=(1.0, 1.0, 1.0)):
    image = sitk.GetImageFromArray(np.random.default_rng(seed).random(size[::-1], np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin((-7.0, 3.0, 11.0))
    return image
