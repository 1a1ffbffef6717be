"""A synthetic head that looks T2-weighted: the phantom of a head under another tone curve."""

import numpy as np
import SimpleITK as sitk

from MedNCALib.imaging.phantom_head import make_head

# Shares of white matter's intensity in the T1-weighted phantom of air, bone, fluid, grey matter, white matter and fat,
# and what they become.
_T1 = (0.0, 0.1, 0.25, 0.36, 0.75, 1.0, 1.3)
_T2 = (0.0, 0.05, 0.1, 1.0, 0.45, 0.3, 0.5)
_WHITE = 910.0  # of the phantom with seed 0


def t2_head(spacing=(2.0, 2.0, 2.0)):
    """The image and the labels on their sides."""
    head = make_head(spacing)
    tones = np.interp(sitk.GetArrayFromImage(head.image) / _WHITE, _T1, _T2)
    image = sitk.GetImageFromArray(np.rint(1000 * tones).astype(np.int16))
    image.CopyInformation(head.image)
    return image, head.labels
