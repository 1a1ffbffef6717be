"""From an image of a head with bright fluid, as T2-weighted ones are, to one whose tissues look T1-weighted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Percentiles of a brain's intensities in a T2-weighted image: white matter is its darkest large part, fluid its
# brightest.
_WHITE, _FLUID = 10, 95

# Percentiles whose distances from the median say to which side a distribution is skewed.
_LOW, _HIGH = 5, 95


@dataclass(frozen=True)
class ContrastTurn:
    """A tone curve under which white matter becomes brightest, grey matter darker, and fluid as dark as air and bone.

    It rises from the intensity of air to that of white matter, and falls from there to that of fluid:
    max(0, min((x - air) / (white - air), (fluid - x) / (fluid - white))).

    Attributes:
        air, white, fluid: intensities of the image, in rising order.
    """

    air: float
    white: float
    fluid: float

    @classmethod
    def of_brain(cls, intensities: np.ndarray, air: float) -> ContrastTurn | None:
        """The curve for an image; None if fluid is not bright in it.

        Fluid is a small share of a brain and far brighter or darker than the rest of it. It is bright if the median is
        nearer to the low end of all intensities than to the high one, which is skewness by quantiles (Groeneveld and
        Meeden, "Measuring skewness and kurtosis", The Statistician 33, 1984).

        Args:
            intensities: of a brain with its fluid, any shape.
            air: the darkest intensity of the image.
        """
        low, white, middle, fluid, high = np.percentile(intensities, (_LOW, _WHITE, 50, _FLUID, _HIGH)).tolist()
        if high - middle <= middle - low or not air < white < fluid:
            return None
        return cls(air, white, fluid)

    def tones(self, intensities: np.ndarray) -> np.ndarray:
        """Intensities under the curve: float32, 0 to 1, the same shape."""
        rising = (intensities - self.air) / (self.white - self.air)
        falling = (self.fluid - intensities) / (self.fluid - self.white)
        return np.minimum(rising, falling).clip(0).astype(np.float32)
