"""mednca segment, for a sequence of volumes: its options, and what it writes and says."""

from __future__ import annotations

import time
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import MedNCAError, MedNCAWarning
from .options import run_options

if TYPE_CHECKING:
    from ...io.image_sequence import ImageSequence
    from ...measurement.cardiac import Beat
    from ...model.model import Model
    from ...progress import Progress
    from ...segmentation.steps import Result

_SINGLE_ONLY = ("probability", "uncertainty", "stress")
_SEQUENCE_ONLY = {"slices": "--slices", "frame_interval": "--frame-interval"}
# Keys of the summary of a volume; those of a sequence have null there, and what there is for each frame.
_OF_SINGLE_VOLUMES = (
    "protocol",
    "probabilities",
    "uncertainty",
    "volumes_ml",
    "found",
    "brain_ml",
    "notes",
    "quality",
    "measurements",
    "stress",
)


def add_sequence_options(parser: ArgumentParser) -> None:
    """Options of sequences."""
    parser.add_argument(
        "--frame-interval",
        type=float,
        metavar="MS",
        help="of a sequence: milliseconds between frames, in place of what the file says",
    )
    parser.add_argument(
        "--leave-out",
        action="store_true",
        help="of a DICOM cine: go on without planes that do not belong to the stack, and without slices that do not "
        "have all phases",
    )
    parser.add_argument(
        "--slices",
        nargs=2,
        type=int,
        metavar=("FIRST", "LAST"),
        help="of a heart's sequence: slices whose volume is counted, from 1 (default: all around the fullest one in "
        "which something is found)",
    )


def check_single(options: Namespace) -> None:
    """Refuse options of sequences for one volume.

    Raises:
        MedNCAError: one was given.
    """
    asked = next((option for name, option in _SEQUENCE_ONLY.items() if getattr(options, name) is not None), None)
    if asked:
        raise MedNCAError(f"{asked} is for sequences of volumes, and this is one volume.")


def segment_sequence(
    frames: ImageSequence, path: Path, base: Path, model: Model, options: Namespace, progress: Progress
) -> dict[str, Any]:
    """Segment all frames, measure the beat, and write both.

    Args:
        frames: of the input.
        path: of the input.
        base: what the names of the output files begin with.
        model, options: of the command.
        progress: of this input.

    Returns:
        A summary for JSON, without what all summaries have.

    Raises:
        MedNCAError: a frame or an option cannot be used.
    """
    from ...io.label_sequence import write_label_sequence
    from ...measurement.cardiac import chamber_of, chamber_volumes
    from ...measurement.volume_curve import write_volume_picture, write_volume_table
    from ...segmentation.sequence import segment_sequence_steps
    from ...segmentation.steps import run_to_end

    asked = next((name for name in _SINGLE_ONLY if getattr(options, name)), None)
    if asked:
        raise MedNCAError(f"--{asked} is for single volumes, and this is a sequence of {len(frames)} frames.")
    if options.slices and chamber_of(model.labels) is None:
        raise MedNCAError(f"--slices is for models that find the left ventricle, and {model.name} does not.")
    for note in frames.left_out:
        warnings.warn(f"{path}: {note} They are left out.", MedNCAWarning, stacklevel=2)
    started = time.perf_counter()
    steps = segment_sequence_steps(
        _checked(frames, path, model, options),
        len(frames),
        model,
        region=options.region,
        largest_only=options.largest_only,
        **run_options(options),
    )
    results = run_to_end(
        steps, lambda step: progress(step.fraction, f", frame {1 + int(step.fraction * len(frames) - 1e-9)}")
    )
    seconds = time.perf_counter() - started
    for number, result in enumerate(results, 1):
        for note in result.notes:
            warnings.warn(f"{path}: Frame {number} of {len(results)}: {note}", MedNCAWarning, stacklevel=2)
    chamber = chamber_volumes(results, model, frames.times)
    beat = chamber.measure(options.slices) if chamber else None
    files = {"segmentation": base.with_name(f"{base.name}.nii.gz")}
    if beat:
        files["table"] = base.with_name(f"{base.name}_volumes.csv")
        files["picture"] = base.with_name(f"{base.name}_volumes.png")
        write_volume_table(files["table"], beat)
        write_volume_picture(files["picture"], beat)
        for warning in beat.warnings:
            warnings.warn(f"{path}: {warning}", MedNCAWarning, stacklevel=2)
    write_label_sequence(files["segmentation"], [result.labels for result in results], frames.times)
    return {
        **dict.fromkeys(_OF_SINGLE_VOLUMES),
        **{name: str(files[name]) if name in files else None for name in ("segmentation", "table", "picture")},
        "seconds": seconds,
        **_figures(results, beat, frames),
    }


def sequence_line(summary: dict[str, Any]) -> str:
    """What the command says of a sequence."""
    said = [f"{len(summary['frames'])} frames by {summary['sorted_by']}"]
    if "edv_ml" in summary:
        said += [f"EDV {summary['edv_ml']:.1f} mL (frame {summary['ed_frame'] + 1})"]
        said += [f"ESV {summary['esv_ml']:.1f} mL (frame {summary['es_frame'] + 1})"]
        if summary["ejection_fraction"] is not None:
            said += [f"ejection fraction {summary['ejection_fraction']:.1f} %"]
    said += [f"{summary['seconds']:.1f} s"]
    return f"{summary['segmentation']}: {'; '.join(said)}"


def _checked(frames: ImageSequence, path: Path, model: Model, options: Namespace) -> Iterator[Any]:
    """The frames; what does not fit the model or the options is said of the first."""
    from ...measurement.cardiac import check_slices
    from ...segmentation.input_checks import check_input
    from ...segmentation.slice_volumes import slice_count

    for number, image in enumerate(frames):
        if number == 0:
            for reason in check_input(image, model, options.region, options.find):
                warnings.warn(f"{path}: {reason}", MedNCAWarning, stacklevel=2)
            if options.slices:
                check_slices(options.slices, slice_count(image, model.slice_format.axes))
        yield image


def _figures(results: list[Result], beat: Beat | None, frames: ImageSequence) -> dict[str, Any]:
    """The figures of each frame, and those of the beat."""
    times = frames.times.milliseconds or (None,) * len(results)
    measured = beat.as_dict() if beat else {}
    of_frames = measured.get("frames") or [{"time_ms": time_ms} for time_ms in times]
    qualities = [result.quality.as_dict() for result in results]
    return {
        "sorted_by": frames.times.sorted_by,
        **measured,
        "frames": [
            {
                **of_frame,
                "volumes_ml": {name: volume["mean"] for name, volume in quality["volumes_ml"].items()},
                "quality": quality,
                "protocol": result.protocol,
                "notes": list(result.notes),
            }
            for of_frame, quality, result in zip(of_frames, qualities, results)
        ],
        "left_out": list(frames.left_out),
    }
