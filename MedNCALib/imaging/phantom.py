"""A synthetic T1-weighted block of the medial temporal lobe with a hippocampus whose truth is known.

Nothing here comes from a person. The shapes are smooth implicit functions of physical coordinates (mm), so that every
spacing, size and storage order samples the same anatomy. A seed varies that anatomy within the range of healthy adults.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk

ANTERIOR = 1
POSTERIOR = 2

# Where the middle of a block lies in the head (RAS, mm) for the left side: about the middle of the hippocampus.
BLOCK_CENTRE_LEFT = (-26.0, -22.0, -14.0)

# Width in mm over which one tissue turns into the next: the point spread of a 1 mm acquisition.
EDGE = 1.2

# Voxels longer than this (mm) are averaged from several samples, as a scanner averages over a thick slice.
LONGEST_SAMPLE = 1.25

# Samples worked on at a time, in whole planes: some 30 arrays of this length live at once, about 100 MB.
SAMPLES_AT_ONCE = 500_000

# Unit steps along the anatomical directions in the LPS coordinates of SimpleITK and DICOM.
DIRECTIONS_LPS = {
    "R": (-1.0, 0.0, 0.0),
    "L": (1.0, 0.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}
# Each letter's axis in a block stored as RAS, and whether the letter runs along that axis or against it.
RAS_AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True)
class Phantom:
    """A synthetic image and its truth on the same grid.

    Attributes:
        image: float32, arbitrary units as in MR.
        labels: uint8, 1 anterior, 2 posterior, 0 elsewhere.
    """

    image: sitk.Image
    labels: sitk.Image


def make_phantom(
    size=(40, 56, 40), spacing=(1.0, 1.0, 1.0), axes="RAS", side="left", bias=0.0, noise=0.02, seed=0
) -> Phantom:
    """Make a synthetic T1-weighted block of the medial temporal lobe.

    >>> make_phantom(size=(40, 56, 40), axes="PIR").image.GetSize()
    (56, 40, 40)

    Args:
        size: voxels along right, anterior and superior, before `axes` reorders the storage.
        spacing: mm along right, anterior and superior, before `axes` reorders the storage.
        axes: where the first, the second and the third voxel index run to: "RAS" means to the right, to anterior and to
            superior. Any of the 48 orders; the direction matrix says the same, so the physical content does not change.
        side: "left" or "right"; the right side is the mirror image of the left.
        bias: amplitude of a smooth multiplicative field, 0 to below 1; 0.5 lets intensities vary by 50 % either way.
        noise: standard deviation of Gaussian noise, relative to the intensity of white matter. Values that it would
            push below zero become zero, since a magnitude image has none.
        seed: chooses anatomy, tissue contrast, bias field and noise. Anatomy does not depend on the other arguments.

    Raises:
        ValueError: an argument outside these ranges.
    """
    size, spacing = _checked(size, spacing, axes, side, bias, noise)
    anatomy = _draw_anatomy(np.random.default_rng([seed, 0]))
    mirror = 1.0 if side == "left" else -1.0

    image, labels = _sample(anatomy, size, spacing, mirror)
    if bias > 0:
        image *= _bias_field(size, bias, np.random.default_rng([seed, 1]))
    if noise > 0:
        draws = np.random.default_rng([seed, 2]).standard_normal(size, dtype=np.float32)
        image += np.float32(noise * anatomy.white) * draws
        np.maximum(image, 0, out=image)

    centre = np.array(BLOCK_CENTRE_LEFT) * (mirror, 1, 1)
    return Phantom(_stored(image, spacing, centre, axes), _stored(labels, spacing, centre, axes))


def _checked(size, spacing, axes, side, bias, noise):
    size, spacing = tuple(int(n) for n in size), tuple(float(s) for s in spacing)
    if len(size) != 3 or min(size) < 1:
        raise ValueError(f"size {size} has to be three positive numbers of voxels")
    if len(spacing) != 3 or not all(np.isfinite(spacing)) or min(spacing) <= 0:
        raise ValueError(f"spacing {spacing} has to be three positive lengths in mm")
    if len(axes) != 3 or {RAS_AXES.get(letter, (None,))[0] for letter in axes} != {0, 1, 2}:
        raise ValueError(f"axes {axes!r} has to name each of R/L, A/P and S/I once, for example 'RAS'")
    if side not in ("left", "right"):
        raise ValueError(f"side {side!r} has to be 'left' or 'right'")
    if not 0 <= bias < 1:
        raise ValueError(f"bias {bias} has to be at least 0 and below 1, or intensities turn negative")
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise {noise} has to be a number not below 0")
    return size, spacing


# --- Anatomy. Coordinates in mm from the middle of the block: m to medial, y to anterior, z to superior. ---


def _draw_anatomy(rng) -> SimpleNamespace:
    """Draw one person: lengths in mm, angles in radians, intensities in arbitrary units."""
    white = rng.uniform(400.0, 1200.0)
    return SimpleNamespace(
        # Hippocampus. Volumes follow from length and girth.
        shift=rng.normal(0.0, 1.0, 3).clip(-2, 2) + np.array([-2.6, 0.8, -3.0]),
        length_head=rng.normal(17.0, 1.0),
        length_rest=rng.normal(21.5, 1.3),
        girth=rng.normal(1.0, 0.045),
        girth_head=rng.normal(1.0, 0.05),
        slope=rng.normal(0.42, 0.07),
        curl=rng.normal(0.011, 0.003),
        bow=rng.normal(1.0, 0.3),
        tilt_head=rng.normal(0.25, 0.15),
        tilt_body=rng.normal(-0.15, 0.15),
        digitations=rng.uniform(0.03, 0.10),
        digitation_phase=rng.uniform(0, 2 * np.pi),
        # Surroundings.
        horn=rng.uniform(0.8, 2.4),
        fissure=rng.uniform(0.8, 2.0),
        cistern=rng.uniform(1.8, 3.5),
        cortex=rng.normal(2.8, 0.25),
        wobble=rng.uniform(0, 2 * np.pi, 8),
        jitter=rng.normal(0.0, 1.2, (6, 3)).clip(-2.5, 2.5),
        sulcus_depth=rng.uniform(-2.0, 2.0, 3),
        # Tissues, T1-weighted.
        white=white,
        grey=white * rng.normal(0.58, 0.025),
        hippocampus=white * rng.normal(0.56, 0.025),
        amygdala=white * rng.normal(0.58, 0.025),
        nuclei=white * rng.normal(0.80, 0.03),
        stem=white * rng.normal(0.93, 0.02),
        cerebellum=white * rng.normal(0.56, 0.03),
        fluid=white * rng.uniform(0.14, 0.24),
        # Fine structure: plane waves (cycles per mm, phase), 5 to 14 mm long.
        waves=rng.normal(0.0, 1.0, (6, 3)),
        wave_lengths=rng.uniform(5.0, 14.0, 6),
        wave_phases=rng.uniform(0, 2 * np.pi, 6),
    )


def _fraction(distance):
    """Share of a voxel inside a shape whose signed distance in mm (negative inside) is given."""
    return np.clip(0.5 - distance / np.float32(EDGE), 0, 1)


def _ramp(x, low, high):
    """0 below low, 1 above high, smooth between (Hermite)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _ellipse_distance(u, v, a, b):
    """Signed distance in mm to an ellipse with half axes a and b: (q - 1) q / |grad|, after Taubin (1994)."""
    q = np.sqrt((u / a) ** 2 + (v / b) ** 2) + 1e-3
    return (q - 1) * q / np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2 + 1e-6)


def _ellipsoid_distance(m, y, z, centre, radii):
    p, r = (m - centre[0], y - centre[1], z - centre[2]), radii
    q = np.sqrt(sum((c / k) ** 2 for c, k in zip(p, r))) + 1e-3
    return (q - 1) * q / np.sqrt(sum((c / k**2) ** 2 for c, k in zip(p, r)) + 1e-6)


def _smooth_maximum(a, b, width):
    return 0.5 * (a + b + np.sqrt((a - b) ** 2 + width**2))


def _axis(anatomy, y):
    """The hippocampus' centre line at y (mm from the border of head and body): its m and z."""
    k = anatomy
    back, front = np.minimum(y, 0), np.maximum(y, 0)
    # Seen from above, head and tail lie medially and the body bows laterally around the brain stem.
    m = k.bow * (0.010 * back**2 - 2.0) - 0.10 * back + 0.20 * front
    # Seen from the side it rises towards the tail, more and more steeply.
    z = -k.slope * y + k.curl * back**2 + 0.006 * front**2
    return m, z


def _hippocampus(anatomy, m, y, z):
    """Signed distance to the hippocampus and the coordinates (u to medial, v to superior) in its cross-section."""
    k = anatomy
    centre_m, centre_z = _axis(k, y)
    headness = _ramp(y, -3.0, 6.0)
    # Half axes of the coronal section, closing like an ellipse at both ends.
    end = np.where(y > 0, y / k.length_head, -y / k.length_rest)
    closing = np.sqrt(np.clip(1 - np.where(y > 0, end**6, end**5), 1e-3, 1))
    tail = _ramp(-y, 8.0, 20.0)
    half_width = (6.4 + 3.2 * k.girth_head * headness - 0.7 * tail) * k.girth * closing
    half_height = (4.5 - 0.3 * k.girth_head * headness - 0.2 * tail) * k.girth * closing
    tilt = k.tilt_head * headness + k.tilt_body * (1 - headness) + 0.5 * tail
    cos, sin = np.cos(tilt), np.sin(tilt)
    u = (m - centre_m) * cos + (z - centre_z) * sin
    v = -(m - centre_m) * sin + (z - centre_z) * cos
    # The section is a bean, concave towards the white matter of the subiculum below it.
    v = v + (0.014 + 0.008 * headness) * (u**2 - 18)
    # Digitations: the ripples along the top of the head.
    ripple = 1 + k.digitations * headness * np.cos(0.9 * u + k.digitation_phase) * np.sign(v)
    distance = _ellipse_distance(u, v, half_width, half_height * ripple)
    # Past its ends the section has shrunk to a thread; cut it off.
    distance = np.maximum(distance, np.maximum(y - k.length_head, -y - k.length_rest))
    return distance, u, v, headness


def _paint(values, fraction, intensity):
    values += fraction * (np.float32(1) * intensity - values)


def _intensity(anatomy, m, y, z):
    """Intensity and hippocampus fraction at points; m, y and z broadcast against each other."""
    k = anatomy
    texture = sum(
        np.cos(2 * np.pi / length * (w[0] * m + w[1] * y + w[2] * z) / np.linalg.norm(w) + phase)
        for w, length, phase in zip(k.waves, k.wave_lengths, k.wave_phases)
    )
    m, y, z = m - k.shift[0], y - k.shift[1], z - k.shift[2]
    distance, u, v, headness = _hippocampus(k, m, y, z)
    axis_m, axis_z = _axis(k, y)
    above = z - axis_z
    w = k.wobble

    values = np.full(distance.shape, k.white, np.float32)

    # Deep grey matter above: thalamus behind, putamen and pallidum in front; insula and its sulcus at the upper side.
    thalamus = _ellipsoid_distance(m, y, z, (15, -7, 16) + k.jitter[0], (13, 16, 11))
    _paint(values, _fraction(thalamus / 3), k.nuclei)
    putamen = _ellipsoid_distance(m, y, z, (-4, 13, 19) + k.jitter[1], (9, 17, 9))
    _paint(values, _fraction(putamen / 2), 0.9 * k.nuclei)
    caudate = _ellipsoid_distance(m, y, z, (-8, -12, 15) + k.jitter[2], (2.2, 16, 2.2))
    _paint(values, _fraction(caudate), 0.9 * k.nuclei)

    # Cortex folds around two sulci that enter from below and from the side.
    for number, (foot_m, reach, lean) in enumerate(((-6.0, -5.0, 0.45), (-15.5, 0.0, 0.3))):
        course = foot_m + 1.6 * np.sin(y / 6.0 + w[number]) - lean * (above + 14) + 0.10 * y
        depth = reach + k.sulcus_depth[number] + 1.5 * np.sin(y / 8.0 + w[number + 2])
        # Distance to a sheet that ends at `depth`: past its rim, distance to the rim.
        sheet = np.hypot(m - course, np.maximum(above - depth, 0)) / np.hypot(1, 0.5 * lean)
        _paint(values, _fraction(sheet - k.cortex - 0.4), k.grey)
        _paint(values, _fraction(sheet - 0.55), k.fluid)
    sheet = np.hypot(m + 15 + 1.5 * np.sin(y / 7.0 + w[4]), np.maximum(10 + k.sulcus_depth[2] - z, 0))
    _paint(values, _fraction(sheet - k.cortex - 0.4), k.grey)
    _paint(values, _fraction(sheet - 0.6), k.fluid)

    # The pial surface of the parahippocampal gyrus, medially and below; outside it, fluid.
    edge_m = 11.0 + axis_m + 0.8 * np.sin(y / 5.0 + w[5]) + 2.5 * headness
    floor = axis_z - 14.0 - 0.12 * m + 0.9 * np.sin(m / 4.0 + y / 9.0 + w[6])
    pial = _smooth_maximum((m - edge_m) * 0.94 - 0.25 * (above + 6), floor - z, 7.0)
    # Above the hippocampus the lobe's medial wall gives way to the diencephalon.
    under = _ramp(3.0 - above, -1.0, 4.0)
    _paint(values, _fraction(-pial - k.cortex) * under, k.grey)
    _paint(values, _fraction(-pial) * under, k.fluid)

    # Past the cistern: brain stem medially, cerebellum with its folia below and behind, under the tentorium.
    stem = _ellipsoid_distance(m, y, z, (25, -1, 2) + k.jitter[3], (15, 15, 40))
    outside = _fraction(k.cistern - pial)
    _paint(values, _fraction(stem) * outside, k.stem)
    folia = 0.5 + 0.5 * np.cos(
        2 * np.pi * (0.8 * z + 0.45 * m + 1.1 * np.sin(y / 3.5 + w[7]) + 0.8 * np.sin(m / 4.3 + w[0])) / 3.4
    )
    cerebellum = _smooth_maximum(y - 6 + 0.3 * m, z - axis_z + 8 - 0.3 * m, 4.0)
    lamella = k.cerebellum + (k.white - k.cerebellum) * 0.6 * folia
    _paint(values, _fraction(cerebellum) * outside * _fraction(1.5 - stem), lamella)

    # Amygdala in front of and above the head, next to the uncus.
    front = k.length_head
    amygdala_z = -k.slope * front + 8.5
    amygdala = _ellipsoid_distance(m, y, z, (5.5, front + 0.5, amygdala_z) + k.jitter[4] / 2, (11.0, 9.5, 9.0))
    _paint(values, _fraction(amygdala), k.amygdala)

    # White matter of the subiculum under the hippocampus.
    below = _ramp(-v, -1.0, 2.0)
    _paint(values, _fraction(distance - 2.0) * below, k.white)
    # Fluid over it: temporal horn laterally, choroid fissure and ambient cistern medially.
    lateral, medial = _ramp(-u, -1.0, 6.0), _ramp(u, -1.0, 6.0)
    thickness = k.horn * lateral * (0.7 + 0.7 * headness) + k.fissure * medial + 0.5
    _paint(values, _fraction(distance - thickness) * _ramp(v, -1.0, 1.5), k.fluid)

    # The atrium of the lateral ventricle, where horn and tail end.
    end_m, end_z = _axis(k, -k.length_rest)
    atrium = _ellipsoid_distance(m, y, z, (end_m - 5, -k.length_rest - 5, end_z + 1) + k.jitter[5] / 2, (5.5, 8, 5.5))
    _paint(values, _fraction(atrium) * (1 - _fraction(distance - 1.0)), k.fluid)

    # The hippocampus: grey, with the white alveus as a film on top and a darker fissure rolled up inside.
    inside = _fraction(distance)
    _paint(values, inside, k.hippocampus)
    alveus = _fraction(np.abs(distance + 0.3) - 0.2) * _ramp(v, 0.0, 2.0)
    _paint(values, 0.8 * alveus, k.white)
    roll = np.abs(v - 0.4 + 0.05 * u**2 - 0.1 * u)
    _paint(values, 0.5 * _fraction(roll - 0.3) * _fraction(distance + 2.0), k.fluid)

    values *= 1 + np.float32(0.018) * texture
    return values, inside


# --- From points to voxels. ---


def _sample(anatomy, size, spacing, mirror):
    """Image (float32) and labels (uint8) with indices (R, A, S), averaged over samples within each voxel."""
    samples = [int(np.ceil(length / LONGEST_SAMPLE)) for length in spacing]
    r, a, s = (_positions(n, length, count) for n, length, count in zip(size, spacing, samples))
    border = (np.arange(size[1]) - (size[1] - 1) / 2) * spacing[1] - anatomy.shift[1]
    part = np.where(border > 0, ANTERIOR, POSTERIOR).astype(np.uint8)[None, :, None]

    image, labels = np.empty(size, np.float32), np.empty(size, np.uint8)
    slab = max(1, SAMPLES_AT_ONCE // (len(r) * len(a) * samples[2]))
    for first in range(0, size[2], slab):
        here = slice(first, min(first + slab, size[2]))
        heights = s[here.start * samples[2] : here.stop * samples[2]]
        values, inside = _intensity(anatomy, mirror * r[:, None, None], a[None, :, None], heights[None, None, :])
        image[:, :, here] = _averaged(values, samples)
        labels[:, :, here] = np.where(_averaged(inside, samples) >= 0.5, part, 0)
    return image, labels


def _positions(voxels, spacing, samples):
    """Sample positions in mm around the middle of an axis, `samples` evenly within each voxel."""
    index = (np.arange(voxels * samples) + 0.5) / samples - voxels / 2
    return (index * spacing).astype(np.float32)


def _averaged(values, samples):
    r, a, s = (n // count for n, count in zip(values.shape, samples))
    return values.reshape(r, samples[0], a, samples[1], s, samples[2]).mean(axis=(1, 3, 5), dtype=np.float32)


def _bias_field(size, amplitude, rng):
    """A smooth field with indices (R, A, S) between 1 - amplitude and 1 + amplitude; it reaches one of the two."""
    profiles = []
    for voxels in size:
        position = np.linspace(-1, 1, voxels) if voxels > 1 else np.zeros(1)
        profile = np.sin(0.5 * np.pi * (rng.choice((-1, 1)) * position + rng.uniform(-0.5, 0.5)))
        profiles.append(profile / max(np.abs(profile).max(), 1e-6))
    r, a, s = profiles
    field = r[:, None, None] + a[None, :, None] + s[None, None, :]
    return (1 + amplitude * field / np.abs(field).max()).astype(np.float32)


def _stored(array, spacing, centre, axes):
    """A SimpleITK image of an array with indices (R, A, S), its voxels stored in the order that `axes` names."""
    order, signs = zip(*(RAS_AXES[letter] for letter in axes))
    stored = array.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    # SimpleITK's first index is NumPy's last.
    image = sitk.GetImageFromArray(np.ascontiguousarray(stored.transpose(2, 1, 0)))
    steps = np.array([DIRECTIONS_LPS[letter] for letter in axes]).T
    lengths = np.array([spacing[axis] for axis in order])
    middle = np.array(centre) * (-1, -1, 1)
    origin = middle - steps @ (lengths * (np.array(stored.shape) - 1) / 2)
    image.SetSpacing(lengths.tolist())
    image.SetDirection(steps.ravel().tolist())
    image.SetOrigin(origin.tolist())
    return image
