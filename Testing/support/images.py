"""Small images of any size, spacing and direction; every axis order."""

from functools import cache
from itertools import permutations, product

import numpy as np
import SimpleITK as sitk

from MedNCALib.imaging.phantom import make_phantom

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


def rotation_about(axis, degrees):
    """Matrix that rotates about left (0, a pitch), posterior (1, a roll) or superior (2, a yaw)."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    matrix[one, one] = matrix[other, other] = cosine
    matrix[other, one], matrix[one, other] = sine, -sine
    return matrix


def rotated(image, axis, degrees):
    """The same voxels in an image that is rotated about its middle."""
    middle = np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    matrix = rotation_about(axis, degrees)
    turned_image = sitk.Image(image)
    turned_image.SetDirection((matrix @ np.reshape(image.GetDirection(), (3, 3))).ravel())
    turned_image.SetOrigin(middle + matrix @ (np.array(image.GetOrigin()) - middle))
    return turned_image


def oblique_phantom(axis, degrees, seed=0, size=(36, 50, 36)):
    """Image and labels of an upright phantom, acquired on a grid that is rotated about its middle."""
    grid = rotated(make_phantom(size=size, seed=seed).image, axis, degrees)
    phantom = _cubic_phantom(round(1.5 * max(size)), seed)  # as long as the diagonal of a face of the grid, at least
    image = sitk.Resample(phantom.image, grid, sitk.Transform(), sitk.sitkLinear)
    return image, sitk.Resample(phantom.labels, grid, sitk.Transform(), sitk.sitkNearestNeighbor)


@cache
def _cubic_phantom(length, seed):
    return make_phantom(size=(length, length, length), seed=seed)
