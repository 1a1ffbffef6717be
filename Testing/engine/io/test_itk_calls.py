"""File names that ITK does not take, and what it and its libraries would print."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import SimpleITK as sitk
from support.shared_data import REPOSITORY

from MedNCALib.io.images import read_image, write_image
from MedNCALib.io.itk_calls import itk_path, quiet_libraries

any_bytes = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")


@pytest.fixture
def image():
    return sitk.GetImageFromArray(np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5))


# --- Names ---


def test_a_plain_name_is_taken_as_it_is(tmp_path):
    with itk_path(tmp_path / "Größe.nrrd") as name:
        assert name == str(tmp_path / "Größe.nrrd")


@any_bytes
@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii.gz"])
@pytest.mark.parametrize("folder", [b"plain", b"fold\xe9r"])
@pytest.mark.parametrize("name", [b"na\xff\xfeme", b"plain", b"line\nbreak", b"-dash", b" "])
def test_a_name_of_any_bytes_is_written_and_read(tmp_path, image, ending, folder, name):
    path = tmp_path / os.fsdecode(folder) / os.fsdecode(name + ending.encode())
    path.parent.mkdir()
    write_image(path, image)
    assert os.listdir(os.fsencode(path.parent)) == [name + ending.encode()]
    assert np.array_equal(sitk.GetArrayFromImage(read_image(path)), sitk.GetArrayFromImage(image))


@any_bytes
@pytest.mark.parametrize("ending", [".mhd", ".nhdr"])
def test_a_header_of_any_name_finds_the_voxels_beside_it(tmp_path, image, ending):
    (tmp_path / "folder").mkdir()
    sitk.WriteImage(image, str(tmp_path / "folder" / f"v{ending}"))
    folder = (tmp_path / "folder").rename(tmp_path / os.fsdecode(b"fold\xe9r"))
    path = (folder / f"v{ending}").rename(folder / os.fsdecode(b"\xff" + ending.encode()))
    assert np.array_equal(sitk.GetArrayFromImage(read_image(path)), sitk.GetArrayFromImage(image))


@any_bytes
def test_names_beyond_ascii_work_in_a_locale_without_utf_8(tmp_path, image):
    path = tmp_path / "Größe" / "海馬.nrrd"
    path.parent.mkdir()
    sitk.WriteImage(image, str(path))
    code = (
        "import sys; from MedNCALib.io.images import read_image, write_image; "
        "write_image(sys.argv[1].replace('.nrrd', '.mha'), read_image(sys.argv[1]))"
    )
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", code, path], cwd=REPOSITORY, env=environment, timeout=300, check=True)
    assert read_image(path.with_suffix(".mha")).GetSize() == (5, 4, 3)


# --- Silence ---


def print_past_python(text):
    os.write(2, text.encode())


def test_what_libraries_print_does_not_reach_the_user(capfd):
    with quiet_libraries():
        print_past_python("lost")
    print_past_python("seen")
    assert capfd.readouterr().err == "seen"


def test_silence_ends_with_an_error_too(capfd):
    with pytest.raises(KeyError), quiet_libraries():
        raise KeyError
    print_past_python("seen")
    assert capfd.readouterr().err == "seen"


def test_silence_lasts_as_long_as_any_thread_wants_it(capfd):
    inside, leave = threading.Event(), threading.Event()

    def other():
        with quiet_libraries():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    with quiet_libraries():
        thread.start()
        inside.wait(60)
    print_past_python("lost")
    leave.set()
    thread.join()
    print_past_python("seen")
    assert capfd.readouterr().err == "seen"


def test_warnings_of_itk_come_back_afterwards():
    sitk.ProcessObject.SetGlobalWarningDisplay(True)
    with quiet_libraries():
        assert not sitk.ProcessObject.GetGlobalWarningDisplay()
    assert sitk.ProcessObject.GetGlobalWarningDisplay()


@pytest.mark.skipif(os.name == "nt", reason="the shell closes streams otherwise there")
def test_an_image_is_read_if_the_standard_streams_are_closed(tmp_path, image):
    sitk.WriteImage(image, str(tmp_path / "v.nrrd"))
    code = (
        "import sys; from MedNCALib.io.images import read_image; assert read_image(sys.argv[1]).GetSize() == (5, 4, 3)"
    )
    command = f'"$0" -c "{code}" "$1" <&- >&- 2>&-'
    subprocess.run(["sh", "-c", command, sys.executable, tmp_path / "v.nrrd"], cwd=REPOSITORY, timeout=300, check=True)
