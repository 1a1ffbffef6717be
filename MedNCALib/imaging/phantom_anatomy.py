"""The anatomy of the phantom: the medial temporal lobe as smooth implicit functions of physical coordinates.

Coordinates are in mm from the middle of the block, along medial, anterior and superior; a person's hippocampus is
shifted against the block. Tissues are painted one over the other, each with the share of a point that it covers, so
that the order of the structures in `tissue` matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Width in mm over which one tissue turns into the next: the point spread of a 1 mm acquisition.
EDGE = 1.2


@dataclass(frozen=True)
class Anatomy:
    """One person: lengths in mm, angles in radians, intensities in arbitrary units.

    Attributes:
        shift: of the border between head and body against the middle of the block, along medial, anterior, superior.
        length_head, length_rest: of the hippocampus in front of and behind that border.
        girth, girth_head: thickness of all of it and of its head, relative to the mean.
        slope, curl: how it rises towards the tail, and how much more steeply at the end.
        bow: how much the body bows laterally around the brain stem, relative to the mean.
        tilt_head, tilt_body: rotation of the cross-section.
        digitations, digitation_phase: height and place of the ripples along the top of the head.
        horn, fissure, cistern: width of the fluid in temporal horn, choroid fissure and ambient cistern.
        cortex: thickness of the cortex.
        wobble: phases of the waves in the surroundings' surfaces, shape (8,).
        jitter: displacement of six structures of the surroundings, shape (6, 3).
        sulcus_depth: of three sulci, relative to the mean, shape (3,).
        white, grey, hippocampus, amygdala, nuclei, stem, cerebellum, fluid: intensities in a T1-weighted image.
        waves, wave_lengths, wave_phases: direction, length and phase of six plane waves, the fine texture of tissue.
    """

    shift: np.ndarray
    length_head: float
    length_rest: float
    girth: float
    girth_head: float
    slope: float
    curl: float
    bow: float
    tilt_head: float
    tilt_body: float
    digitations: float
    digitation_phase: float
    horn: float
    fissure: float
    cistern: float
    cortex: float
    wobble: np.ndarray
    jitter: np.ndarray
    sulcus_depth: np.ndarray
    white: float
    grey: float
    hippocampus: float
    amygdala: float
    nuclei: float
    stem: float
    cerebellum: float
    fluid: float
    waves: np.ndarray
    wave_lengths: np.ndarray
    wave_phases: np.ndarray

    @classmethod
    def draw(cls, random: np.random.Generator) -> Anatomy:
        """A random person, within the range of healthy adults. Volumes follow from length and girth."""
        white = random.uniform(400.0, 1200.0)
        return cls(
            shift=random.normal(0.0, 1.0, 3).clip(-2, 2) + np.array([-2.6, 0.8, -3.0]),
            length_head=random.normal(17.0, 1.0),
            length_rest=random.normal(21.5, 1.3),
            girth=random.normal(1.0, 0.045),
            girth_head=random.normal(1.0, 0.05),
            slope=random.normal(0.42, 0.07),
            curl=random.normal(0.011, 0.003),
            bow=random.normal(1.0, 0.3),
            tilt_head=random.normal(0.25, 0.15),
            tilt_body=random.normal(-0.15, 0.15),
            digitations=random.uniform(0.03, 0.10),
            digitation_phase=random.uniform(0, 2 * np.pi),
            horn=random.uniform(0.8, 2.4),
            fissure=random.uniform(0.8, 2.0),
            cistern=random.uniform(1.8, 3.5),
            cortex=random.normal(2.8, 0.25),
            wobble=random.uniform(0, 2 * np.pi, 8),
            jitter=random.normal(0.0, 1.2, (6, 3)).clip(-2.5, 2.5),
            sulcus_depth=random.uniform(-2.0, 2.0, 3),
            white=white,
            grey=white * random.normal(0.58, 0.025),
            hippocampus=white * random.normal(0.56, 0.025),
            amygdala=white * random.normal(0.58, 0.025),
            nuclei=white * random.normal(0.80, 0.03),
            stem=white * random.normal(0.93, 0.02),
            cerebellum=white * random.normal(0.56, 0.03),
            fluid=white * random.uniform(0.14, 0.24),
            waves=random.normal(0.0, 1.0, (6, 3)),
            wave_lengths=random.uniform(5.0, 14.0, 6),
            wave_phases=random.uniform(0, 2 * np.pi, 6),
        )


@dataclass(frozen=True)
class _Points:
    """Points relative to the hippocampus, as arrays that broadcast against each other.

    Attributes:
        medial, anterior, superior: mm from the border of head and body.
        axis_medial, axis_superior: the hippocampus' centre line at `anterior`.
        above: mm above the centre line.
        distance: signed distance to the hippocampus in mm, negative inside.
        across, up: coordinates in its cross-section, to medial and to superior.
        headness: 0 in body and tail, 1 in the head.
    """

    medial: np.ndarray
    anterior: np.ndarray
    superior: np.ndarray
    axis_medial: np.ndarray
    axis_superior: np.ndarray
    above: np.ndarray
    distance: np.ndarray
    across: np.ndarray
    up: np.ndarray
    headness: np.ndarray

    @classmethod
    def around(cls, anatomy: Anatomy, medial: np.ndarray, anterior: np.ndarray, superior: np.ndarray) -> _Points:
        """Points given from the middle of the block."""
        medial, anterior, superior = medial - anatomy.shift[0], anterior - anatomy.shift[1], superior - anatomy.shift[2]
        axis_medial, axis_superior = _centre_line(anatomy, anterior)
        return cls(
            medial,
            anterior,
            superior,
            axis_medial,
            axis_superior,
            superior - axis_superior,
            *_hippocampus(anatomy, medial, anterior, superior),
        )

    def ellipsoid(self, centre: np.ndarray, radii: tuple[float, float, float]) -> np.ndarray:
        """Signed distance in mm to an ellipsoid; see `_ellipse_distance`."""
        offsets = (self.medial - centre[0], self.anterior - centre[1], self.superior - centre[2])
        q = np.sqrt(sum((c / k) ** 2 for c, k in zip(offsets, radii))) + 1e-3
        return (q - 1) * q / np.sqrt(sum((c / k**2) ** 2 for c, k in zip(offsets, radii)) + 1e-6)


def tissue(
    anatomy: Anatomy, medial: np.ndarray, anterior: np.ndarray, superior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is at points, given in mm from the middle of the block, as arrays that broadcast against each other.

    Returns:
        Intensity, and the share of hippocampus.
    """
    texture = sum(
        np.cos(2 * np.pi / length * (w[0] * medial + w[1] * anterior + w[2] * superior) / np.linalg.norm(w) + phase)
        for w, length, phase in zip(anatomy.waves, anatomy.wave_lengths, anatomy.wave_phases)
    )
    points = _Points.around(anatomy, medial, anterior, superior)
    values = np.full(points.distance.shape, anatomy.white, np.float32)
    _paint_deep_nuclei(values, anatomy, points)
    _paint_sulci(values, anatomy, points)
    pial = _paint_pial_surface(values, anatomy, points)
    _paint_stem_and_cerebellum(values, anatomy, points, pial)
    _paint_amygdala(values, anatomy, points)
    _paint_surroundings_of_hippocampus(values, anatomy, points)
    inside = _paint_hippocampus(values, anatomy, points)
    values *= 1 + np.float32(0.018) * texture
    return values, inside


def _centre_line(anatomy: Anatomy, anterior: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Where the hippocampus' centre line runs at `anterior` mm from the border of head and body: medial, superior."""
    back, front = np.minimum(anterior, 0), np.maximum(anterior, 0)
    # Seen from above, head and tail lie medially and the body bows laterally around the brain stem.
    medial = anatomy.bow * (0.010 * back**2 - 2.0) - 0.10 * back + 0.20 * front
    # Seen from the side it rises towards the tail, more and more steeply.
    superior = -anatomy.slope * anterior + anatomy.curl * back**2 + 0.006 * front**2
    return medial, superior


def _hippocampus(
    anatomy: Anatomy, medial: np.ndarray, anterior: np.ndarray, superior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`distance`, `across`, `up` and `headness` of `_Points`."""
    centre_medial, centre_superior = _centre_line(anatomy, anterior)
    headness = ramp(anterior, -3.0, 6.0)
    # Half axes of the coronal section, closing like an ellipse at both ends.
    end = np.where(anterior > 0, anterior / anatomy.length_head, -anterior / anatomy.length_rest)
    closing = np.sqrt(np.clip(1 - np.where(anterior > 0, end**6, end**5), 1e-3, 1))
    tail = ramp(-anterior, 8.0, 20.0)
    half_width = (6.4 + 3.2 * anatomy.girth_head * headness - 0.7 * tail) * anatomy.girth * closing
    half_height = (4.5 - 0.3 * anatomy.girth_head * headness - 0.2 * tail) * anatomy.girth * closing
    tilt = anatomy.tilt_head * headness + anatomy.tilt_body * (1 - headness) + 0.5 * tail
    cos, sin = np.cos(tilt), np.sin(tilt)
    across = (medial - centre_medial) * cos + (superior - centre_superior) * sin
    up = -(medial - centre_medial) * sin + (superior - centre_superior) * cos
    # The section is a bean, concave towards the white matter of the subiculum below it.
    up = up + (0.014 + 0.008 * headness) * (across**2 - 18)
    # Digitations: the ripples along the top of the head.
    ripple = 1 + anatomy.digitations * headness * np.cos(0.9 * across + anatomy.digitation_phase) * np.sign(up)
    distance = _ellipse_distance(across, up, half_width, half_height * ripple)
    # Beyond its ends the section has shrunk to a thread; cut it off.
    beyond = np.maximum(anterior - anatomy.length_head, -anterior - anatomy.length_rest)
    return np.maximum(distance, beyond), across, up, headness


def _paint_deep_nuclei(values: np.ndarray, anatomy: Anatomy, points: _Points) -> None:
    """Thalamus behind, putamen in front, and the caudate's tail, all above the hippocampus."""
    thalamus = points.ellipsoid((15, -7, 16) + anatomy.jitter[0], (13, 16, 11))
    paint(values, share_inside(thalamus / 3), anatomy.nuclei)
    putamen = points.ellipsoid((-4, 13, 19) + anatomy.jitter[1], (9, 17, 9))
    paint(values, share_inside(putamen / 2), 0.9 * anatomy.nuclei)
    caudate = points.ellipsoid((-8, -12, 15) + anatomy.jitter[2], (2.2, 16, 2.2))
    paint(values, share_inside(caudate), 0.9 * anatomy.nuclei)


def _paint_sulci(values: np.ndarray, anatomy: Anatomy, points: _Points) -> None:
    """Cortex around two sulci that enter from below and from the side, and around one at the upper side (insula)."""
    wobble = anatomy.wobble
    for number, (foot, reach, lean) in enumerate(((-6.0, -5.0, 0.45), (-15.5, 0.0, 0.3))):
        wave = 1.6 * np.sin(points.anterior / 6.0 + wobble[number])
        course = foot + wave - lean * (points.above + 14) + 0.10 * points.anterior
        wave = 1.5 * np.sin(points.anterior / 8.0 + wobble[number + 2])
        depth = reach + anatomy.sulcus_depth[number] + wave
        # Distance to a sheet that ends at `depth`: past its rim, distance to the rim.
        sheet = np.hypot(points.medial - course, np.maximum(points.above - depth, 0)) / np.hypot(1, 0.5 * lean)
        paint(values, share_inside(sheet - anatomy.cortex - 0.4), anatomy.grey)
        paint(values, share_inside(sheet - 0.55), anatomy.fluid)
    wave = 1.5 * np.sin(points.anterior / 7.0 + wobble[4])
    rim = np.maximum(10 + anatomy.sulcus_depth[2] - points.superior, 0)
    sheet = np.hypot(points.medial + 15 + wave, rim)
    paint(values, share_inside(sheet - anatomy.cortex - 0.4), anatomy.grey)
    paint(values, share_inside(sheet - 0.6), anatomy.fluid)


def _paint_pial_surface(values: np.ndarray, anatomy: Anatomy, points: _Points) -> np.ndarray:
    """The surface of the parahippocampal gyrus, medially and below, with fluid outside of it.

    Returns:
        Signed distance to the surface in mm, positive outside of the gyrus.
    """
    wobble = anatomy.wobble
    edge = 11.0 + points.axis_medial + 0.8 * np.sin(points.anterior / 5.0 + wobble[5]) + 2.5 * points.headness
    wave = 0.9 * np.sin(points.medial / 4.0 + points.anterior / 9.0 + wobble[6])
    floor = points.axis_superior - 14.0 - 0.12 * points.medial + wave
    side = (points.medial - edge) * 0.94 - 0.25 * (points.above + 6)
    pial = smooth_maximum(side, floor - points.superior, 7.0)
    # Above the hippocampus the lobe's medial wall gives way to the diencephalon.
    under = ramp(3.0 - points.above, -1.0, 4.0)
    paint(values, share_inside(-pial - anatomy.cortex) * under, anatomy.grey)
    paint(values, share_inside(-pial) * under, anatomy.fluid)
    return pial


def _paint_stem_and_cerebellum(values: np.ndarray, anatomy: Anatomy, points: _Points, pial: np.ndarray) -> None:
    """Past the cistern: brain stem medially, cerebellum with its folia below and behind, under the tentorium."""
    medial, anterior, wobble = points.medial, points.anterior, anatomy.wobble
    stem = points.ellipsoid((25, -1, 2) + anatomy.jitter[3], (15, 15, 40))
    outside = share_inside(anatomy.cistern - pial)
    paint(values, share_inside(stem) * outside, anatomy.stem)
    waves = 1.1 * np.sin(anterior / 3.5 + wobble[7]), 0.8 * np.sin(medial / 4.3 + wobble[0])
    folia = 0.5 + 0.5 * np.cos(2 * np.pi * (0.8 * points.superior + 0.45 * medial + waves[0] + waves[1]) / 3.4)
    tentorium = points.superior - points.axis_superior + 8 - 0.3 * medial
    cerebellum = smooth_maximum(anterior - 6 + 0.3 * medial, tentorium, 4.0)
    lamella = anatomy.cerebellum + (anatomy.white - anatomy.cerebellum) * 0.6 * folia
    paint(values, share_inside(cerebellum) * outside * share_inside(1.5 - stem), lamella)


def _paint_amygdala(values: np.ndarray, anatomy: Anatomy, points: _Points) -> None:
    """The amygdala in front of and above the head, next to the uncus."""
    front = anatomy.length_head
    centre = (5.5, front + 0.5, -anatomy.slope * front + 8.5) + anatomy.jitter[4] / 2
    paint(values, share_inside(points.ellipsoid(centre, (11.0, 9.5, 9.0))), anatomy.amygdala)


def _paint_surroundings_of_hippocampus(values: np.ndarray, anatomy: Anatomy, points: _Points) -> None:
    """White matter of the subiculum below the hippocampus, and the fluid over it and at its tail."""
    below = ramp(-points.up, -1.0, 2.0)
    paint(values, share_inside(points.distance - 2.0) * below, anatomy.white)
    # Temporal horn laterally, choroid fissure and ambient cistern medially.
    lateral, medial = ramp(-points.across, -1.0, 6.0), ramp(points.across, -1.0, 6.0)
    thickness = anatomy.horn * lateral * (0.7 + 0.7 * points.headness) + anatomy.fissure * medial + 0.5
    paint(values, share_inside(points.distance - thickness) * ramp(points.up, -1.0, 1.5), anatomy.fluid)
    # The atrium of the lateral ventricle, in which horn and tail end.
    end_medial, end_superior = _centre_line(anatomy, -anatomy.length_rest)
    centre = (end_medial - 5, -anatomy.length_rest - 5, end_superior + 1) + anatomy.jitter[5] / 2
    atrium = points.ellipsoid(centre, (5.5, 8, 5.5))
    paint(values, share_inside(atrium) * (1 - share_inside(points.distance - 1.0)), anatomy.fluid)


def _paint_hippocampus(values: np.ndarray, anatomy: Anatomy, points: _Points) -> np.ndarray:
    """Grey, with the white alveus as a film on top and a darker fissure rolled up inside; return its share."""
    across, up = points.across, points.up
    inside = share_inside(points.distance)
    paint(values, inside, anatomy.hippocampus)
    alveus = share_inside(np.abs(points.distance + 0.3) - 0.2) * ramp(up, 0.0, 2.0)
    paint(values, 0.8 * alveus, anatomy.white)
    roll = np.abs(up - 0.4 + 0.05 * across**2 - 0.1 * across)
    paint(values, 0.5 * share_inside(roll - 0.3) * share_inside(points.distance + 2.0), anatomy.fluid)
    return inside


def paint(values: np.ndarray, share: np.ndarray, intensity: float | np.ndarray) -> None:
    """Mix an intensity in, in place, by the share of each point that it covers."""
    values += share * (np.float32(1) * intensity - values)


def share_inside(distance: np.ndarray) -> np.ndarray:
    """Share of a voxel inside a shape whose signed distance in mm (negative inside) is given."""
    return np.clip(0.5 - distance / np.float32(EDGE), 0, 1)


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below low, 1 above high, smooth between (Hermite)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _ellipse_distance(u: np.ndarray, v: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Signed distance in mm to an ellipse with half axes a and b: (q - 1) q / |grad|, after Taubin (1994)."""
    q = np.sqrt((u / a) ** 2 + (v / b) ** 2) + 1e-3
    return (q - 1) * q / np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2 + 1e-6)


def smooth_maximum(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """The larger of two, rounded over about `width` where they are equal."""
    return 0.5 * (a + b + np.sqrt((a - b) ** 2 + width**2))
