"""Cases of a cohort, and functions for worker processes that die, hang or fail as they are asked to."""

import json
import os
import signal
import time
from pathlib import Path

import SimpleITK as sitk

from MedNCALib.cohort.job import Job, Settings
from MedNCALib.cohort.record import DONE, new_record
from MedNCALib.model.model import load_model
from support.threshold_model import case


def write_cases(folder, count, size=(9, 8, 7)):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        sitk.WriteImage(case(number, size)[0], str(folder / f"case{number:03d}.nrrd"))
    return folder


def write_broken_cases(folder, count):
    """Files that no image can be read from, of several kinds."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole.nrrd"
    sitk.WriteImage(case(0)[0], str(whole))
    data = whole.read_bytes()
    whole.unlink()
    colour = sitk.Image((4, 4, 4), sitk.sitkVectorUInt8, 3)
    flat = sitk.Image((8, 8, 8), sitk.sitkInt16)
    kinds = (
        ("empty.nrrd", lambda path: path.write_bytes(b"")),
        ("cut.nrrd", lambda path: path.write_bytes(data[: len(data) - 40])),
        ("noise.nii", lambda path: path.write_bytes(os.urandom(999))),
        ("colour.nrrd", lambda path: sitk.WriteImage(colour, str(path))),
        ("flat.nrrd", lambda path: sitk.WriteImage(flat, str(path))),
    )
    for number in range(count):
        name, write = kinds[number % len(kinds)]
        write(folder / f"broken{number:02d}-{name}")


def jobs_of(images, output, model_folder, **settings):
    """A job for each image, by its stem."""
    options = {"runs": 1, "seed": 0, **settings.pop("options", {})}
    common = Settings(str(output), str(model_folder), load_model(model_folder).sha256, options, **settings)
    return [Job(str(image), image.stem, image.stem, common) for image in map(Path, images)]


def done(job):
    """As if a case were done; the file that its options name counts how often."""
    with Path(job.settings.options["count"]).open("a", encoding="utf-8") as file:
        file.write(f"{job.name}\n")
    return {**new_record(job), "status": DONE, "process": os.getpid()}


def as_named(job):
    """What the name of a case asks for; `die2` dies two times."""
    done(job)
    count = Path(job.settings.options["count"]).read_text(encoding="utf-8").split().count(job.name)
    if job.name == "fail":
        raise ValueError("as asked for")
    if job.name == "hang":
        time.sleep(1000)
    if job.name.startswith("die") and count <= int(job.name[3:]):
        os.kill(os.getpid(), signal.SIGKILL)
    return {**new_record(job), "status": DONE, "process": os.getpid()}


def write_and_wait(job):
    """Begin a file as all files are written, say so, and wait in the middle of it."""
    from MedNCALib.atomic_write import written_whole

    if job.name != "wait":
        return done(job)
    with written_whole(job.record) as beside:
        beside.write_text("half", encoding="utf-8")
        Path(job.settings.options["count"]).write_text("half", encoding="utf-8")
        time.sleep(1000)
        return None


def same_but_for_time(record):
    """A record without what differs from run to run, as text."""
    kept = {key: value for key, value in record.items() if key not in ("seconds", "input_modified")}
    return json.dumps(kept, sort_keys=True)
