"""The volumes of a beat as a table and as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

from ..atomic_write import written_whole
from .cardiac import Beat

VOLUME_PICTURE = "_volumes.png"  # how the name of a case's picture ends

_SIZE, _MARGINS = (720, 420), (70, 40, 20, 60)  # pixels; left, top, right and bottom
_INK, _GRID, _LINE, _ED, _ES = (40, 40, 40), (222, 222, 222), (0, 114, 178), (213, 94, 0), (0, 158, 115)
_TICKS = 5


def write_volume_table(path: Path, beat: Beat) -> None:
    """Write a row for each frame as CSV: number from 1, time, volume and its spread, and what is marked."""
    with written_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["frame", "time_ms", "volume_ml", "volume_sd_ml", "mark"])
        times = beat.times.milliseconds or ("",) * len(beat.volumes)
        for number, (time, volume) in enumerate(zip(times, beat.volumes)):
            shown = f"{time:.6g}" if time != "" else ""
            spread = "" if volume.sd is None else f"{volume.sd:.3f}"
            table.writerow([number + 1, shown, f"{volume.value:.3f}", spread, _mark(beat, number)])


def write_volume_picture(path: Path, beat: Beat) -> None:
    """Write the volume over time as PNG, with end-diastole and end-systole marked.

    Frames without times are numbered.
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", _SIZE, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    left, top, right, bottom = _MARGINS[0], _MARGINS[1], _SIZE[0] - _MARGINS[2], _SIZE[1] - _MARGINS[3]
    across = beat.times.milliseconds or tuple(float(number) for number in range(1, len(beat.volumes) + 1))
    volumes = [volume.value for volume in beat.volumes]
    most, begin, length = _round_up(max(volumes)), across[0], max(across[-1] - across[0], 1e-9)

    def place(time: float, volume: float) -> tuple[float, float]:
        return left + (time - begin) / length * (right - left), bottom - volume / most * (bottom - top)

    for tick in range(_TICKS + 1):
        level = place(begin, most * tick / _TICKS)[1]
        draw.line([(left, level), (right, level)], fill=_GRID)
        draw.text((left - 8, level), f"{most * tick / _TICKS:g}", fill=_INK, font=font, anchor="rm")
        time = begin + length * tick / _TICKS
        draw.text((place(time, 0)[0], bottom + 8), f"{time:.0f}", fill=_INK, font=font, anchor="mt")
    for time, volume in zip(across, beat.volumes):
        spread = volume.sd or 0.0
        draw.line([place(time, volume.value - spread), place(time, volume.value + spread)], fill=_LINE)
    points = [place(time, volume) for time, volume in zip(across, volumes)]
    draw.line(points, fill=_LINE, width=3)
    for x, y in points:
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=_LINE)
    for frame, name, color in ((beat.ed_frame, "ED", _ED), (beat.es_frame, "ES", _ES)):
        x, y = points[frame]
        draw.ellipse([x - 6, y - 6, x + 6, y + 6], fill=color)
        draw.text((x + 9, y - 9), name, fill=color, font=font, anchor="lb")
    unit = "time (ms)" if beat.times.milliseconds else "frame"
    draw.text(((left + right) / 2, _SIZE[1] - 12), unit, fill=_INK, font=font, anchor="mb")
    draw.text((12, 12), f"{beat.label}: volume (mL)", fill=_INK, font=font, anchor="lt")
    draw.text((right, 12), figures_line(beat), fill=_INK, font=font, anchor="rt")
    with written_whole(path) as beside:
        picture.save(beside)


def figures_line(beat: Beat) -> str:
    """The figures of a beat in one line."""
    fraction = beat.ejection_fraction
    figures = [f"EDV {_shown(beat.edv.value, beat.edv.sd, 1)} mL", f"ESV {_shown(beat.esv.value, beat.esv.sd, 1)} mL"]
    if fraction is not None:
        figures.append(f"EF {_shown(fraction.value, fraction.sd, 1)} %")
    if beat.heart_rate is not None:
        figures.append(f"{beat.heart_rate:.0f}/min")
    return ", ".join(figures)


def _shown(value: float, sd: float | None, digits: int) -> str:
    return f"{value:.{digits}f}" + ("" if sd is None else f" ± {sd:.{digits}f}")


def _mark(beat: Beat, number: int) -> str:
    return {beat.ed_frame: "ED", beat.es_frame: "ES"}.get(number, "")


def _round_up(value: float) -> float:
    """A round number at least as large, for the end of an axis; 1 for nothing."""
    size = 1.0
    while size < value:
        size *= 10
    steps = (size / 5, size / 4, size / 2.5, size / 2, size / 1.25, size)
    return next(step for step in steps if step >= value) if value > 0 else 1.0
