"""MedNCALogic in the application: a volume in, a segmentation node out, and nothing changed if it did not end well."""

import inspect

import numpy as np
import pytest
from support.brightness_model import MIDDLE, MODULE, boxes_image, brightness_model, rotation, truth_of

from MedNCALib import MedNCAError
from MedNCALib.segmentation.steps import run_to_end


@pytest.fixture
def model(tmp_path):
    """Path of the folder of a model that needs no training."""
    return str(brightness_model(tmp_path).folder)


@pytest.fixture
def logic(host):
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


@pytest.fixture
def volume_node(logic):
    from MedNCAScene.inputs.volumes import volumeFromImage

    return volumeFromImage(boxes_image(), "head")


def scene_state():
    """What is in the scene, in a form that compares: nodes with all their attributes, and when voxels last changed."""
    import slicer

    content = {}
    for index in range(slicer.mrmlScene.GetNumberOfNodes()):
        node = slicer.mrmlScene.GetNthNode(index)
        image = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
        segments = {}
        if node.IsA("vtkMRMLSegmentationNode"):
            segmentation = node.GetSegmentation()
            segments = {name: segmentation.GetSegment(name).GetMTime() for name in segmentation.GetSegmentIDs()}
        content[node.GetID()] = (node.GetName(), node.GetMTime(), image and image.GetMTime(), segments)
    return content


def assert_found(segmentation_node, volume_node, truth):
    import slicer

    segmentation = segmentation_node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    for value, segment_id in enumerate(segmentation.GetSegmentIDs(), 1):
        found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, volume_node)
        np.testing.assert_array_equal(found > 0, truth == value)


def test_process_has_the_arguments_that_scripts_rely_on(logic):
    parameters = inspect.signature(logic.process).parameters
    assert list(parameters)[:7] == [
        "volumeNode", "segmentationNode", "model", "region", "runs", "seed", "interactive",
    ]  # fmt: skip
    defaults = [parameter.default for parameter in list(parameters.values())[1:7]]
    assert defaults == [None, "hippocampus-mr", None, 1, 0, False]


def test_process_segments_a_volume(logic, volume_node, model):
    segmentation_node = logic.process(volume_node, model=model)
    assert segmentation_node.IsA("vtkMRMLSegmentationNode")
    assert_found(segmentation_node, volume_node, truth_of(boxes_image()))
    assert logic.quality.volumes_ml["anterior hippocampus"].mean == pytest.approx(0.525)


def test_process_is_the_same_step_by_step(logic, volume_node, model):
    steps = logic.processSteps(volume_node, model=model)
    fractions = []
    segmentation_node = run_to_end(steps, lambda step: fractions.append(step.fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert_found(segmentation_node, volume_node, truth_of(boxes_image()))


def test_process_writes_to_a_given_node(logic, volume_node, model):
    first = logic.process(volume_node, model=model)
    assert logic.process(volume_node, first, model=model) is first
    assert_found(first, volume_node, truth_of(boxes_image()))


def test_input_is_not_changed(logic, volume_node, model):
    before = scene_state()
    logic.process(volume_node, model=model)
    after = scene_state()
    assert {node_id: after[node_id] for node_id in before if "SubjectHierarchy" not in node_id} == {
        node_id: content for node_id, content in before.items() if "SubjectHierarchy" not in node_id
    }


def test_volume_under_a_rotated_transform_is_segmented_where_it_is(logic, volume_node, model):
    import slicer

    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(), (50, 0, 0)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume_node.SetAndObserveTransformNodeID(transform.GetID())
    segmentation_node = logic.process(volume_node, model=model)
    assert_found(segmentation_node, volume_node, truth_of(boxes_image()))
    # Independent of slicer.util: the centre of the bounds in the world is the centre of the two boxes in the world.
    bounds = np.zeros(6)
    segmentation_node.GetRASBounds(bounds)
    indices = np.argwhere(truth_of(boxes_image()))[:, ::-1]
    ends = np.stack([indices.min(axis=0) - 0.5, indices.max(axis=0) + 0.5])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    lps = np.array([-7.0, 11.0, 30.0]) + corners * [1.0, 1.5, 2.0]
    world = (lps * [-1, -1, 1]) @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(bounds[::2], world.min(axis=0), atol=0.01)
    np.testing.assert_allclose(bounds[1::2], world.max(axis=0), atol=0.01)


def test_region_limits_the_run_to_a_box_in_the_world(logic, volume_node, model):
    """Under a transform: the box is placed where the anatomy appears, not where its voxels would be without it."""
    import slicer

    matrix = np.eye(4)
    matrix[:3, 3] = 50, 0, 0
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume_node.SetAndObserveTransformNodeID(transform.GetID())
    bounds = np.zeros(6)
    volume_node.GetRASBounds(bounds)
    middle = (bounds[::2] + bounds[1::2]) / 2
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetCenter(middle[0], bounds[3] - 9, middle[2])  # the first 12 rows: up to where the bright box ends
    roi.SetSize(bounds[1] - bounds[0], 18, bounds[5] - bounds[4])
    inside_the_box = truth_of(boxes_image())
    inside_the_box[:, 12:] = 0
    assert_found(logic.process(volume_node, model=model, region=roi), volume_node, inside_the_box)


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_closed_generator_leaves_the_scene_as_it_was(logic, volume_node, model, which):
    count = sum(1 for _ in logic.processSteps(volume_node, model=model))
    steps = logic.processSteps(volume_node, model=model)
    before = scene_state()
    for _ in range({"first": 1, "middle": count // 2, "last": count}[which]):
        next(steps)
    steps.close()
    assert scene_state() == before


def test_cancelled_second_run_leaves_the_first_result(logic, volume_node, model):
    segmentation_node = logic.process(volume_node, model=model)
    before = scene_state()
    steps = logic.processSteps(volume_node, segmentation_node, model=model)
    next(steps)
    steps.close()
    assert scene_state() == before
    assert_found(segmentation_node, volume_node, truth_of(boxes_image()))


def test_refused_input_leaves_the_scene_as_it_was(logic, volume_node, model):
    import slicer

    slicer.util.arrayFromVolume(volume_node)[:] = MIDDLE
    before = scene_state()
    with pytest.raises(MedNCAError, match="no contrast"):
        logic.process(volume_node, model=model)
    assert scene_state() == before


def test_unknown_model_is_named_in_the_message(logic, volume_node):
    with pytest.raises(MedNCAError, match="no model 'spleen-ct'"):
        logic.process(volume_node, model="spleen-ct")


@pytest.mark.parametrize("deleted", ["input", "output"])
def test_node_deleted_during_the_run_ends_it_with_its_name(logic, volume_node, model, deleted):
    import slicer

    output = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    steps = logic.processSteps(volume_node, output, model=model)
    next(steps)
    slicer.mrmlScene.RemoveNode(volume_node if deleted == "input" else output)
    before = scene_state()
    with pytest.raises(MedNCAError, match="head was deleted" if deleted == "input" else "mine was deleted"):
        run_to_end(steps)
    assert scene_state() == before


@pytest.mark.parametrize("change", ["hardened", "replaced"])
def test_volume_that_is_changed_during_the_run_ends_it(logic, volume_node, model, change):
    """The labels were found on another grid: they would lie beside the anatomy."""
    import slicer

    matrix = np.eye(4)
    matrix[0, 3] = 50
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume_node.SetAndObserveTransformNodeID(transform.GetID())
    steps = logic.processSteps(volume_node, model=model)
    next(steps)
    if change == "hardened":
        volume_node.HardenTransform()
    else:
        slicer.util.updateVolumeFromArray(volume_node, np.ones((3, 4, 5)))
    before = scene_state()
    with pytest.raises(MedNCAError, match="head was changed during the run"):
        run_to_end(steps)
    assert scene_state() == before


def test_transform_that_becomes_non_linear_during_the_run_is_followed_all_the_same(logic, volume_node, model):
    """The voxels are written in the volume's own space, so whatever moves the volume moves them too."""
    import slicer

    steps = logic.processSteps(volume_node, model=model)
    next(steps)
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    volume_node.SetAndObserveTransformNodeID(warp.GetID())
    segmentation_node = run_to_end(steps)
    assert segmentation_node.GetTransformNodeID() == warp.GetID()


def test_dialog_is_shown_only_when_interactive(logic, host, model):
    with pytest.raises(MedNCAError):
        logic.process(None, model=model)
    assert host.messages == []
    with pytest.raises(MedNCAError):
        logic.process(None, model=model, interactive=True)
    assert host.messages.texts("error") == ["No input volume: choose one."]


def test_several_runs_give_the_quality_scores(logic, volume_node, model):
    logic.process(volume_node, model=model, runs=2)
    assert logic.quality.agreement == pytest.approx(1)  # every cell of this model fires: no run differs


def test_saved_scene_opens_with_the_segments_and_their_display(logic, volume_node, model, tmp_path):
    import slicer

    segmentation_node = logic.process(volume_node, model=model)
    segment_id = segmentation_node.GetSegmentation().GetNthSegmentID(1)
    segmentation_node.GetDisplayNode().SetSegmentOpacity2DFill(segment_id, 0.25)
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    segmentation_node.SetAndObserveStorageNodeID(storage.GetID())
    assert storage.WriteData(segmentation_node)
    volume_storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    volume_storage.SetFileName(str(tmp_path / "head.nrrd"))
    volume_node.SetAndObserveStorageNodeID(volume_storage.GetID())
    assert volume_storage.WriteData(volume_node)
    slicer.mrmlScene.SetURL(str(tmp_path / "scene.mrml"))
    assert slicer.mrmlScene.Commit()

    slicer.mrmlScene.Clear(False)
    slicer.mrmlScene.SetURL(str(tmp_path / "scene.mrml"))
    assert slicer.mrmlScene.Import()
    reopened = slicer.util.getNode("head_brightness")
    assert_found(reopened, slicer.util.getNode("head"), truth_of(boxes_image()))
    assert reopened.GetDisplayNode().GetSegmentOpacity2DFill(segment_id) == pytest.approx(0.25)


def test_self_test_of_the_module_passes(logic):
    """The test that also runs in Slicer, with the bundled model."""
    import slicer

    slicer.selfTests["MedNCA"](msec=0)
