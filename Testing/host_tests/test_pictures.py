"""The pictures of the stand-in application show what is in the scene, where it is."""

import numpy as np
import pytest

WIDTH, HEIGHT, BAR = 602, 222, 22


@pytest.fixture
def scene(host):
    """A cube of 40 mm around the origin, shown, with a green segment of 10 mm on the left, anterior and superior."""
    import slicer

    voxels = np.full((40, 40, 40), 50, np.int16)
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, 3] = -19.5
    volume = slicer.util.addVolumeFromArray(voxels, ijkToRAS=ijk_to_ras, name="cube")
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevel(200, 100)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation.GetSegmentation().AddEmptySegment("green", "Green", [0.0, 1.0, 0.0])
    mask = np.zeros_like(voxels, np.uint8)
    # In RAS: right -15 to -5, anterior 5 to 15, superior 2 to 12.
    mask[22:32, 25:35, 5:15] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, "green", volume)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    return segmentation


def pixels(path):
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def green_box(view):
    """First and last column and row of the green pixels, in mm from the middle of a view of 200 pixels for 40 mm."""
    green = (view[..., 1] > view[..., 0] + 30) & (view[..., 1] > view[..., 2] + 30)
    rows, columns = np.nonzero(green)
    return [round((edge - 100) / 5) for edge in (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)]


def slice_views(host, path, **options):
    """The three views of a picture, without their bars."""
    host.sliceViewPicture(path, width=WIDTH + 2, height=HEIGHT, **options)
    picture = pixels(path)
    assert picture.shape[0] == HEIGHT
    return [picture[BAR:, start : start + 200] for start in (0, 202, 404)]


def test_segment_is_at_its_place_in_every_slice_view(host, scene, tmp_path):
    axial, coronal, sagittal = slice_views(host, tmp_path / "slices.png")
    # Left of the patient is right in the picture; anterior and superior are up; sagittal views look from the left.
    assert green_box(axial) == [5, 15, -15, -5]
    assert green_box(coronal) == [5, 15, -12, -2]
    assert green_box(sagittal) == [-15, -5, -12, -2]


def test_segment_is_half_transparent_with_an_outline(host, scene, tmp_path):
    axial = slice_views(host, tmp_path / "slices.png")[0]
    inside, outline = axial[100 - 50, 150], axial[100 - 50, 125:128, 1].max()
    assert 100 < inside[1] < 255
    assert inside[0] > 30
    assert outline > inside[1]


def test_hidden_segment_is_not_in_the_picture(host, scene, tmp_path):
    scene.GetDisplayNode().SetSegmentVisibility("green", False)
    axial = slice_views(host, tmp_path / "slices.png")[0]
    assert (axial.max(axis=-1) == axial.min(axis=-1))[:160].all()


def test_zoom_makes_the_segment_larger(host, scene, tmp_path):
    left, right, top, bottom = green_box(slice_views(host, tmp_path / "slices.png", zoom=2)[0])
    assert right - left == bottom - top == 20
    assert left < 0 < right
    assert top < 0 < bottom


def test_picture_leaves_the_slice_views_as_they_were(host, scene, tmp_path):
    import slicer

    slice_node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    slice_node.JumpSliceByOffsetting(1, 2, 3)
    before = slice_state(slice_node)
    counts = host.counts()
    slice_views(host, tmp_path / "slices.png", centreOn=(5, 5, 5), zoom=3)
    host.threeDViewPicture(tmp_path / "3d.png")
    assert slice_state(slice_node) == before
    assert host.counts() == counts


def slice_state(slice_node):
    import slicer

    matrix = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceToRAS())
    return matrix.tolist(), slice_node.GetDimensions(), slice_node.GetFieldOfView(), slice_node.GetXYZOrigin()


def test_picture_without_a_volume_is_black_under_the_bars(host, tmp_path):
    axial, coronal, sagittal = slice_views(host, tmp_path / "slices.png")
    assert axial.max() == coronal.max() == sagittal.max() == 0


def test_bars_have_the_colours_of_the_views(host, tmp_path):
    host.sliceViewPicture(tmp_path / "slices.png", width=WIDTH + 2, height=HEIGHT)
    red, green, yellow = (pixels(tmp_path / "slices.png")[3, column] for column in (190, 390, 590))
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert yellow[0] > 200
    assert yellow[1] > 200
    assert yellow[2] < 100


def test_surface_of_the_segment_is_in_the_three_dview(host, scene, tmp_path):
    host.threeDViewPicture(tmp_path / "without.png", width=200, height=200)
    host.threeDViewPicture(tmp_path / "with.png", width=200, height=200, showSegments=True)

    def green_pixels(name):
        picture = pixels(tmp_path / name)
        return ((picture[..., 1] > 60) & (picture[..., 1] > 2 * picture[..., 2])).sum()

    assert green_pixels("without.png") == 0
    assert green_pixels("with.png") > 1000


def test_screenshot_shows_the_panel_in_the_size_asked_for(host, tmp_path):
    import qt

    label = qt.QLabel("Volume of the hippocampus: 3.4 mL")
    host.screenshot(label, tmp_path / "light.png", width=300)
    host.screenshot(label, tmp_path / "dark.png", width=300, dark=True)
    host.screenshot(label, tmp_path / "large.png", width=600, fontScale=2)
    light, dark, large = (pixels(tmp_path / f"{name}.png") for name in ("light", "dark", "large"))
    assert light.shape[1] == 300
    assert np.median(light) > 200 > 100 > np.median(dark)
    assert large.shape[0] > 1.5 * light.shape[0]
    # Letters, not the empty boxes of a missing font: many different columns.
    assert len({tuple(column) for column in (light[..., 0].T < 100)}) > 30


def test_picture_that_cannot_be_written_is_an_error(host, tmp_path):
    import qt

    with pytest.raises(OSError, match="Cannot write the picture"):
        host.screenshot(qt.QLabel("text"), tmp_path / "nowhere" / "picture.png")


def test_views_that_were_drawn_follow_the_scene_no_more(host, scene, tmp_path):
    import slicer
    from host.inspection import observerCount

    interaction = slicer.app.applicationLogic().GetInteractionNode()
    before = observerCount(interaction)
    host.sliceViewPicture(tmp_path / "views.png")
    host.threeDViewPicture(tmp_path / "3d.png")
    assert observerCount(interaction) == before
