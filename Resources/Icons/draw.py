"""Draws the icons: a grid of cells that grow into a hippocampus-like arc, and cells that grow around a correction.

Needs Pillow: python Resources/Icons/draw.py
"""

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 128
SCALE = 4  # drawn larger and scaled down, for smooth edges
CELLS = 8
HERE = Path(__file__).resolve().parent
ORANGE, BLUE = (230, 159, 0), (86, 180, 233)  # the colours of the two labels of the bundled model
RESTING, WHITE = (70, 79, 94), (255, 255, 255)
STROKE = {(2, 5), (3, 4), (4, 3)}  # row and column of the cells that a person has painted

Cell = tuple[float, tuple[int, int, int]]  # how far it has grown, and the colour of one that has


def strength(x: float, y: float) -> float:
    """How far a cell has grown, 0 to 1, at grid coordinates from -1 to 1: an arc that is thick at one end."""
    angle = math.atan2(y - 0.35, x)  # around a point below the middle
    radius = math.hypot(x, y - 0.35)
    along = (angle + math.pi) / math.pi  # 0 at the left end, 1 at the right end of the upper half
    if not -0.15 <= along <= 1.2:
        return 0.0
    width = 0.5 - 0.26 * along
    return max(0.0, 1 - abs(radius - 0.72) / width) ** 0.6


def arc(row: int, column: int) -> Cell:
    x, y = 2 * (column + 0.5) / CELLS - 1, 2 * (row + 0.5) / CELLS - 1
    return strength(x, y), ORANGE if x < -0.12 else BLUE


def correction(row: int, column: int) -> Cell:
    distance = min(math.hypot(row - r, column - c) for r, c in STROKE)
    return max(0.0, 1 - distance / 4.2) ** 0.7, WHITE if (row, column) in STROKE else BLUE


def draw(cell: Callable[[int, int], Cell]) -> Image.Image:
    size = SIZE * SCALE
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, size - 1, size - 1), radius=size // 7, fill=(38, 44, 54, 255))
    margin = size * 0.07
    pitch = (size - 2 * margin) / CELLS
    for row in range(CELLS):
        for column in range(CELLS):
            grown, colour = cell(row, column)
            mixed = tuple(round(r + (c - r) * grown) for r, c in zip(RESTING, colour, strict=True))
            half = pitch * (0.2 + 0.26 * grown)
            middle = (margin + (column + 0.5) * pitch, margin + (row + 0.5) * pitch)
            box = [middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half]
            pen.rounded_rectangle(box, radius=half * 0.45, fill=(*mixed, 255))
    return image.resize((SIZE, SIZE), Image.LANCZOS)


if __name__ == "__main__":
    module = HERE.parent.parent / "MedNCA"
    for folder in (HERE, module / "Resources" / "Icons"):
        draw(arc).save(folder / "MedNCA.png", optimize=True)
    draw(correction).save(module / "MedNCARegrowEffect" / "SegmentEditorEffect.png", optimize=True)
