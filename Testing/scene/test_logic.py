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
def volumeNode(logic):
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


def assert_found(segmentationNode, volumeNode, truth):
    import slicer

    segmentation = segmentationNode.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    for value, segmentId in enumerate(segmentation.GetSegmentIDs(), 1):
        found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
        np.testing.assert_array_equal(found > 0, truth == value)


def test_process_has_the_arguments_that_scripts_rely_on(logic):
    parameters = inspect.signature(logic.process).parameters
    assert list(parameters)[:7] == [
        "volumeNode", "segmentationNode", "model", "region", "runs", "seed", "interactive",
    ]  # fmt: skip
    defaults = [parameter.default for parameter in list(parameters.values())[1:7]]
    assert defaults == [None, "hippocampus-mr", None, 1, 0, False]


def test_process_segments_a_volume(logic, volumeNode, model):
    segmentationNode = logic.process(volumeNode, model=model)
    assert segmentationNode.IsA("vtkMRMLSegmentationNode")
    assert_found(segmentationNode, volumeNode, truth_of(boxes_image()))
    assert logic.quality.volumes_ml["anterior hippocampus"].mean == pytest.approx(0.525)


def test_process_is_the_same_step_by_step(logic, volumeNode, model):
    steps = logic.processSteps(volumeNode, model=model)
    fractions = []
    segmentationNode = run_to_end(steps, lambda step: fractions.append(step.fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert_found(segmentationNode, volumeNode, truth_of(boxes_image()))


def test_process_writes_to_a_given_node(logic, volumeNode, model):
    first = logic.process(volumeNode, model=model)
    assert logic.process(volumeNode, first, model=model) is first
    assert_found(first, volumeNode, truth_of(boxes_image()))


def test_input_is_not_changed(logic, volumeNode, model):
    before = scene_state()
    logic.process(volumeNode, model=model)
    after = scene_state()
    assert {nodeId: after[nodeId] for nodeId in before if "SubjectHierarchy" not in nodeId} == {
        nodeId: content for nodeId, content in before.items() if "SubjectHierarchy" not in nodeId
    }


def test_volume_under_a_rotated_transform_is_segmented_where_it_is(logic, volumeNode, model):
    import slicer

    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(), (50, 0, 0)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volumeNode.SetAndObserveTransformNodeID(transform.GetID())
    segmentationNode = logic.process(volumeNode, model=model)
    assert_found(segmentationNode, volumeNode, truth_of(boxes_image()))
    # Independent of slicer.util: the centre of the bounds in the world is the centre of the two boxes in the world.
    bounds = np.zeros(6)
    segmentationNode.GetRASBounds(bounds)
    indices = np.argwhere(truth_of(boxes_image()))[:, ::-1]
    ends = np.stack([indices.min(axis=0) - 0.5, indices.max(axis=0) + 0.5])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    lps = np.array([-7.0, 11.0, 30.0]) + corners * [1.0, 1.5, 2.0]
    world = (lps * [-1, -1, 1]) @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(bounds[::2], world.min(axis=0), atol=0.01)
    np.testing.assert_allclose(bounds[1::2], world.max(axis=0), atol=0.01)


def test_region_limits_the_run_to_a_box_in_the_world(logic, volumeNode, model):
    """Under a transform: the box is placed where the anatomy appears, not where its voxels would be without it."""
    import slicer

    matrix = np.eye(4)
    matrix[:3, 3] = 50, 0, 0
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volumeNode.SetAndObserveTransformNodeID(transform.GetID())
    bounds = np.zeros(6)
    volumeNode.GetRASBounds(bounds)
    middle = (bounds[::2] + bounds[1::2]) / 2
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetCenter(middle[0], bounds[3] - 9, middle[2])  # the first 12 rows: up to where the bright box ends
    roi.SetSize(bounds[1] - bounds[0], 18, bounds[5] - bounds[4])
    insideTheBox = truth_of(boxes_image())
    insideTheBox[:, 12:] = 0
    assert_found(logic.process(volumeNode, model=model, region=roi), volumeNode, insideTheBox)


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_closed_generator_leaves_the_scene_as_it_was(logic, volumeNode, model, which):
    count = sum(1 for _ in logic.processSteps(volumeNode, model=model))
    steps = logic.processSteps(volumeNode, model=model)
    before = scene_state()
    for _ in range({"first": 1, "middle": count // 2, "last": count}[which]):
        next(steps)
    steps.close()
    assert scene_state() == before


def test_cancelled_second_run_leaves_the_first_result(logic, volumeNode, model):
    segmentationNode = logic.process(volumeNode, model=model)
    before = scene_state()
    steps = logic.processSteps(volumeNode, segmentationNode, model=model)
    next(steps)
    steps.close()
    assert scene_state() == before
    assert_found(segmentationNode, volumeNode, truth_of(boxes_image()))


def test_refused_input_leaves_the_scene_as_it_was(logic, volumeNode, model):
    import slicer

    slicer.util.arrayFromVolume(volumeNode)[:] = MIDDLE
    before = scene_state()
    with pytest.raises(MedNCAError, match="no contrast"):
        logic.process(volumeNode, model=model)
    assert scene_state() == before


def test_unknown_model_is_named_in_the_message(logic, volumeNode):
    with pytest.raises(MedNCAError, match="no model 'spleen-ct'"):
        logic.process(volumeNode, model="spleen-ct")


@pytest.mark.parametrize("deleted", ["input", "output"])
def test_node_deleted_during_the_run_ends_it_with_its_name(logic, volumeNode, model, deleted):
    import slicer

    output = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    steps = logic.processSteps(volumeNode, output, model=model)
    next(steps)
    slicer.mrmlScene.RemoveNode(volumeNode if deleted == "input" else output)
    before = scene_state()
    with pytest.raises(MedNCAError, match="head was deleted" if deleted == "input" else "mine was deleted"):
        run_to_end(steps)
    assert scene_state() == before


@pytest.mark.parametrize("change", ["hardened", "replaced"])
def test_volume_that_is_changed_during_the_run_ends_it(logic, volumeNode, model, change):
    """The labels were found on another grid: they would lie beside the anatomy."""
    import slicer

    matrix = np.eye(4)
    matrix[0, 3] = 50
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volumeNode.SetAndObserveTransformNodeID(transform.GetID())
    steps = logic.processSteps(volumeNode, model=model)
    next(steps)
    if change == "hardened":
        volumeNode.HardenTransform()
    else:
        slicer.util.updateVolumeFromArray(volumeNode, np.ones((3, 4, 5)))
    before = scene_state()
    with pytest.raises(MedNCAError, match="head was changed during the run"):
        run_to_end(steps)
    assert scene_state() == before


def test_transform_that_becomes_non_linear_during_the_run_is_followed_all_the_same(logic, volumeNode, model):
    """The voxels are written in the volume's own space, so whatever moves the volume moves them too."""
    import slicer

    steps = logic.processSteps(volumeNode, model=model)
    next(steps)
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    volumeNode.SetAndObserveTransformNodeID(warp.GetID())
    segmentationNode = run_to_end(steps)
    assert segmentationNode.GetTransformNodeID() == warp.GetID()


def test_dialog_is_shown_only_when_interactive(logic, host, model):
    with pytest.raises(MedNCAError):
        logic.process(None, model=model)
    assert host.messages == []
    with pytest.raises(MedNCAError):
        logic.process(None, model=model, interactive=True)
    assert host.messages.texts("error") == ["No input volume: choose one."]


def test_several_runs_give_the_quality_scores(logic, volumeNode, model):
    logic.process(volumeNode, model=model, runs=2)
    assert logic.quality.agreement == pytest.approx(1)  # every cell of this model fires: no run differs


def test_saved_scene_opens_with_the_segments_and_their_display(logic, volumeNode, model, tmp_path):
    import slicer

    segmentationNode = logic.process(volumeNode, model=model)
    segmentId = segmentationNode.GetSegmentation().GetNthSegmentID(1)
    segmentationNode.GetDisplayNode().SetSegmentOpacity2DFill(segmentId, 0.25)
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    segmentationNode.SetAndObserveStorageNodeID(storage.GetID())
    assert storage.WriteData(segmentationNode)
    volumeStorage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    volumeStorage.SetFileName(str(tmp_path / "head.nrrd"))
    volumeNode.SetAndObserveStorageNodeID(volumeStorage.GetID())
    assert volumeStorage.WriteData(volumeNode)
    slicer.mrmlScene.SetURL(str(tmp_path / "scene.mrml"))
    assert slicer.mrmlScene.Commit()

    slicer.mrmlScene.Clear(False)
    slicer.mrmlScene.SetURL(str(tmp_path / "scene.mrml"))
    assert slicer.mrmlScene.Import()
    reopened = slicer.util.getNode("head_brightness")
    assert_found(reopened, slicer.util.getNode("head"), truth_of(boxes_image()))
    assert reopened.GetDisplayNode().GetSegmentOpacity2DFill(segmentId) == pytest.approx(0.25)


def test_self_test_of_the_module_passes(logic):
    """The test that also runs in Slicer, with the bundled model."""
    import slicer

    slicer.selfTests["MedNCA"](msec=0)
