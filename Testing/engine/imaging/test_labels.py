"""Labels in a colour table, as Slicer, this project and spreadsheets write it."""

import pytest

from MedNCALib.errors import ModelError
from MedNCALib.imaging.labels import CodedConcept, Label, read_labels, write_labels

HEADER = "LabelValue,Name,Color_R,Color_G,Color_B,Color_A"
FRONT, BACK = Label(1, "front", (255, 0, 0)), Label(2, "back", (0, 255, 0))


@pytest.fixture
def table(tmp_path):
    def write(text, encoding="utf-8"):
        (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
        return tmp_path / "labels.csv"

    return write


def rows(*lines):
    return "\n".join([HEADER, *lines, ""])


def test_labels_are_read_back_as_they_were_written(tmp_path):
    concept = CodedConcept("SCT", "5366008", "Hippocampus, whole")
    labels = (Label(3, "ä; b", (1, 2, 3), {"type": concept}), Label(200, "second"))
    write_labels(tmp_path / "labels.csv", labels)
    assert read_labels(tmp_path / "labels.csv") == labels
    assert read_labels(tmp_path / "labels.csv")[0].terminology["type"].meaning == "Hippocampus, whole"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (rows("1,front,255,0,0,255", "2,back,0,255,0,255"), "utf-8-sig"),
        (rows("1,front,255,0,0,255", "2,back,0,255,0,255").replace(",", ";"), "utf-8"),
        ("sep=;\r\n" + rows("1,front,255,0,0,255", "2,back,0,255,0,255").replace(",", ";"), "utf-8"),
        (rows("1,front,255,0,0,255", "2,back,0,255,0,255").replace(",", "\t"), "utf-16"),
        (rows("2,back,0,255,0,255", "1,front,255,0,0,255"), "utf-8"),
        (rows("0,Background,0,0,0,0", '1.0,"front",255.0,0.0,0.0,255', "", ",,,,,", "2,back,0,255,0,255,,"), "utf-8"),
        (rows("1,0;front;255,0;0;0;255", "2,0;back;0;255;0;255").replace(HEADER, HEADER.replace(",", ";")), "utf-8"),
        (rows(" 1 , front ,255,0,0,255", "2,back,0,255,0,255").replace("\n", "\r\n"), "utf-8"),
    ],
    ids=["byte order mark", "semicolons", "sep line", "tabs", "unsorted", "decimals", "decimal commas", "blanks"],
)
def test_a_table_is_read_as_spreadsheets_save_it(table, text, encoding):
    assert read_labels(table(text, encoding)) == (FRONT, BACK)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["1,front,255,0,0,255", "1,back,0,255,0,255"], "front and back have the same LabelValue 1"),
        (["1,same,255,0,0,255", "2,Same,0,255,0,255"], "the labels 1 and 2 have the same name 'Same'"),
        (["1,a/b,255,0,0,255", "2,a-b,0,255,0,255"], r"'a/b' and 'a-b' would be written to files of one name \(a-b\)"),
        (["x,front,255,0,0,255"], "LabelValue in line 2 is 'x', and must be a whole number from 0 to 255"),
        (["1.5,front,255,0,0,255"], "LabelValue in line 2 is '1.5'"),
        (["256,front,255,0,0,255"], "LabelValue in line 2 is '256'"),
        (["-1,front,255,0,0,255"], "LabelValue in line 2 is '-1'"),
        (["1,front,255,,0,255"], "Color_G in line 2 is ''"),
        (["1,front,255,0,nan,255"], "Color_B in line 2 is 'nan'"),
        (["1,,255,0,0,255"], "the label 1 has no name"),
        (["1,fr\u0007ont,255,0,0,255"], "the label 1 has no name that can be shown"),
        ([], "it names no label"),
        (["0,Background,0,0,0,0"], "it names no label"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_the_reason(table, lines, reason):
    with pytest.raises(ModelError, match=rf"labels\.csv is not a table of labels: {reason}"):
        read_labels(table(rows(*lines)))


@pytest.mark.parametrize("text", ["", "\n", "Value,Title\n1,front\n", "Name,Color_R\nfront,1\n"])
def test_a_table_without_the_columns_is_refused(table, text):
    with pytest.raises(ModelError, match="it has no column LabelValue"):
        read_labels(table(text))


def test_letters_of_another_encoding_are_refused_with_what_to_do(table):
    with pytest.raises(ModelError, match='its letters are not in UTF-8; a spreadsheet saves it so as "CSV UTF-8"'):
        read_labels(table(rows("1,Größe,255,0,0,255"), "cp1252"))


def test_a_label_s_terminology_becomes_the_line_that_slicer_reads():
    terminology = {"category": CodedConcept("SCT", "1", "C"), "type": CodedConcept("SCT", "2", "T")}
    assert Label(1, "a", terminology=terminology).terminology_entry == (
        "MedNCA~SCT^1^C~SCT^2^T~^^~Anatomic codes - DICOM master list~^^~^^"
    )
    assert Label(1, "a").terminology_entry == ""
