"""A model as one zip file, and what is checked before one from elsewhere becomes a model here.

Nothing of it is run: a model folder holds a table, a card and arrays of numbers, and no other file is read.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from ..atomic_write import written_whole
from ..errors import ModelError
from .model import CARD, LABELS, WEIGHTS, Model, bundled_models_directory, load_model

RECORD = "TRAINING.md"  # how the weights came about, for people
_FILES = (CARD, WEIGHTS, LABELS)
_LARGEST_MB = 64  # of all files of a model, unpacked; the largest bundled model has less than 1
_MOST_FILES = 16
_LONGEST_NAME = 80
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
_UNREADABLE = (OSError, ValueError, RuntimeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def export_model(model: Model, path: str | os.PathLike[str]) -> Path:
    """Write a model as a zip file that `add_model` takes; the file is whole or not there.

    Args:
        model: one that was saved.
        path: ends with `.zip`.

    Returns:
        The path.

    Raises:
        ModelError: the model was never saved, or the ending is another.
        MedNCAError: it cannot be written, with the reason.
    """
    path = Path(path)
    if model.folder is None:
        raise ModelError(f"{model.name} was never saved: save it to a folder first.")
    if path.suffix.lower() != ".zip":
        raise ModelError(f"{path} cannot be written: choose a name that ends with .zip.")
    with written_whole(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files_of(model):
            entry = zipfile.ZipInfo(f"{model.name}/{file.relative_to(model.folder).as_posix()}", _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return path


def add_model(
    source: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    name: str | None = None,
    replace: bool = False,
) -> Model:
    """Take a model from a zip file or a folder into a models directory, if it is sound.

    It is copied to a hidden folder of the directory, loaded there (checksum, shapes, numbers), and then renamed: the
    directory has the whole model or is as it was. No code of it is run, and no file but those of a model is copied.

    Args:
        source: a zip file as of `export_model`, or a model folder.
        directory: of the models, which is made if it is not there.
        name: of the model here; None for the one that it has.
        replace: whether a model of that name in the directory may go.

    Returns:
        The model, as it is in the directory.

    Raises:
        ModelError: there is no model in it, it is damaged or holds what no model has, or the name is taken.
        MedNCAError: it cannot be written, with the reason.
    """
    source, directory = Path(source), Path(directory)
    if not source.exists():
        raise ModelError(f"There is no {source}. Check the name.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _hidden_folder(directory) as hidden:
            own_name = _unpack(source, hidden / "unpacked") if source.is_file() else _copy(source, hidden / "unpacked")
            target = directory / checked_name(name or own_name)
            _check_free(target, replace)
            (hidden / "unpacked").replace(hidden / target.name)
            _load_checked(hidden / target.name, source)
            _put(hidden / target.name, target, hidden / "before")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(f"{source} cannot be copied to {directory}: {reason}. Make room.") from error
    return load_model(target)


def remove_model(model: Model, directory: str | os.PathLike[str]) -> None:
    """Delete a model of a models directory.

    Raises:
        ModelError: it is elsewhere, for example bundled, or cannot be deleted.
    """
    if model.folder is None or model.folder.resolve().parent != Path(directory).resolve():
        raise ModelError(f"{model.name} is not in {directory}: only models of that folder can be removed here.")
    try:
        with _hidden_folder(Path(directory)) as hidden:
            model.folder.replace(hidden / model.name)  # at once, so that no half of it is found
    except OSError as error:
        raise ModelError(f"{model.name} cannot be removed: {error.strerror or error}.") from error


def checked_name(name: str) -> str:
    """The name of a model, if it can be that of a folder on every system.

    Raises:
        ModelError: it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII) or name.endswith(".") or len(name) > _LONGEST_NAME:
        raise ModelError(
            f"A model cannot be named {name!r}: take letters, digits, dots, hyphens and underscores, beginning with a "
            "letter or a digit."
        )
    return name


def _files_of(model: Model) -> Iterator[Path]:
    assert model.folder is not None
    yield from (model.folder / file for file in _FILES)
    if (model.folder / RECORD).is_file():
        yield model.folder / RECORD
    if model.finder is not None:
        yield from _files_of(model.finder)


@contextmanager
def _hidden_folder(directory: Path) -> Iterator[Path]:
    """A new one, which goes with all that is in it."""
    folder = Path(mkdtemp(prefix=".", dir=directory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(folder: Path, target: Path, before: Path) -> None:
    """Rename a folder to the target; what was there goes, or comes back if that fails."""
    if target.exists():
        target.replace(before)
    try:
        folder.replace(target)
    except OSError:
        if before.exists():
            before.replace(target)
        raise


def _check_free(target: Path, replace: bool) -> None:
    if (bundled_models_directory() / target.name / CARD).is_file():
        raise ModelError(f"{target.name} is the name of a model that comes with MedNCA: choose another name.")
    if target.exists() and not replace:
        raise ModelError(f"There is a model {target.name} already: remove it first, or choose another name.")


def _load_checked(folder: Path, source: Path) -> None:
    try:
        with zipfile.ZipFile(folder / WEIGHTS) as arrays:
            if sum(entry.file_size for entry in arrays.infolist()) > _LARGEST_MB << 20:
                raise ModelError(f"{source} is larger than a model: more than {_LARGEST_MB} MB.")
        load_model(folder)
    except ModelError as error:
        # The hidden folder's path says nothing to the user.
        raise ModelError(f"{source} was not added. {str(error).replace(str(folder), str(source))}") from error
    except _UNREADABLE as error:
        raise ModelError(f"{source} was not added: its {WEIGHTS} cannot be read ({error}). Copy it again.") from error


def _unpack(source: Path, folder: Path) -> str:
    """Unpack the model of a zip file into a new folder; its name."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            name = _check_entries(entries, source)
            left = _LARGEST_MB << 20
            for entry in entries:
                with archive.open(entry) as packed:
                    data = packed.read(left + 1)  # whatever the entry says of its size
                left -= len(data)
                if left < 0:
                    raise ModelError(f"{source} is larger than a model: more than {_LARGEST_MB} MB.")
                parts = PurePosixPath(entry.filename).parts
                target = folder.joinpath(*(parts[1:] if name else parts))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    except _UNREADABLE as error:
        raise ModelError(f"{source} is no zip file that can be read ({error}). Copy it again.") from error
    return name or source.stem


def _check_entries(entries: list[zipfile.ZipInfo], source: Path) -> str:
    """Refuse what no model has; the folder that all files are in, empty if the zip file has none."""

    def refuse(what: str) -> ModelError:
        return ModelError(f"{source} was not added: {what}. A model is exported with Export model, as one zip file.")

    if len(entries) > _MOST_FILES:
        raise refuse(f"it holds {len(entries)} files, and a model has at most {_MOST_FILES}")
    names = [entry.filename for entry in entries]
    if len({name.casefold() for name in names}) < len(names):
        raise refuse("two of its files have the same name")
    cards = [PurePosixPath(name) for name in names if PurePosixPath(name).name == CARD]
    top = min(cards, key=lambda path: len(path.parts), default=None)
    if top is None or len(top.parts) > 2:
        raise refuse(f"it holds no {CARD}")
    name = top.parts[0] if len(top.parts) == 2 else ""
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        inside = parts[1:] if name else parts
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        is_here = not name or parts[0] == name
        is_name = all(re.fullmatch(r"[\w. -]+", part) and part not in (".", "..") for part in parts)
        if is_link or not is_here or not is_name or not 1 <= len(inside) <= 2 or inside[-1] not in (*_FILES, RECORD):
            raise refuse(f"it holds {entry.filename!r}, which is no file of a model")
    return name


def _copy(source: Path, folder: Path) -> str:
    """Copy the files of a model folder into a new one; its name."""
    if not (source / CARD).is_file():
        raise ModelError(f"{source} is not a model folder: it has no {CARD}.")
    size = 0
    for below in (source, *sorted(path.parent for path in source.glob(f"*/{CARD}"))):
        target = folder / below.relative_to(source)
        target.mkdir(parents=True, exist_ok=True)
        for file in (*_FILES, RECORD):
            if (below / file).is_file():
                size += (below / file).stat().st_size
                if size > _LARGEST_MB << 20:
                    raise ModelError(f"{source} is larger than a model: more than {_LARGEST_MB} MB.")
                shutil.copyfile(below / file, target / file)
    return source.resolve().name
