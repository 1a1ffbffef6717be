"""Blocks, pools of them, and batches from pools: what is drawn, and that it follows from seed and number."""

from dataclasses import replace

import numpy as np
import pytest
from support.collection_folders import collections_settings, write_collections

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.block_pool import Pool, PoolSampler
from MedNCALib.training.blocks import Block, Drawing, Structure
from MedNCALib.training.collection_preparation import prepare_collections
from MedNCALib.training.preset import Preset
from MedNCALib.training.scanner import ScannerChange

STILL = {"upright": 1, "shift": 0, "cut": 0, "stripped": 0, "percentiles": (0, 100), "changes": ScannerChange(chance=0)}


@pytest.fixture
def structure():
    """A bright box in two parts, in a field of noise that is darker."""
    image = torch.rand(1, 12, 14, 16, generator=torch.Generator().manual_seed(0)) / 2
    target = torch.zeros(2, 12, 14, 16)
    target[0, 4:8, 5:9, 4:8] = 1
    target[1, 4:8, 5:9, 8:12] = 1
    image[0, target.sum(dim=0) > 0] = 1
    return Structure("box", image, None, target, None, (1.0, 1.0, 1.0), np.array([5.5, 6.5, 7.5]))


def pool_of(structure, size=5, renewed=0.7):
    return Pool([structure], Drawing(size=None), (1.0, 1.0, 1.0), size, renewed, (3, 1))


def test_without_changes_a_block_is_the_image(structure):
    block = Drawing(size=None, **STILL).draw(structure, (1, 1, 1), np.random.default_rng(0))
    assert np.abs(block.image / 255 - (structure.image[0] / structure.image.max()).numpy()).max() < 0.01
    np.testing.assert_array_equal(block.target.swapaxes(0, 1), 255 * structure.target)
    assert block.unscored is None
    assert not block.whole_only


def test_a_block_has_the_size_and_the_spacing_that_are_asked_for(structure):
    drawing = Drawing(size=((3, 3), (4, 4), (6, 6)), **STILL)
    block = drawing.draw(structure, (2, 1, 1), np.random.default_rng(0))
    assert block.image.shape == (3, 4, 6)
    assert (block.target.sum(axis=(1, 2, 3)) > 0).tolist() == [True, True, True]  # slices at -2, 0 and 2 mm, linear
    wide = Drawing(size=((7, 7), (4, 4), (6, 6)), **STILL).draw(structure, (2, 1, 1), np.random.default_rng(0))
    assert (wide.target.sum(axis=(1, 2, 3)) > 0).tolist() == [False, False, True, True, True, False, False]


def test_the_margin_around_the_structure_is_not_scored(structure):
    block = Drawing(size=None, **STILL, margin=1).draw(structure, (1, 1, 1), np.random.default_rng(0))
    whole = block.target.sum(axis=1) > 0
    assert (block.unscored > 0).sum() == 6 * 6 * 10 - whole.sum()
    assert not (block.unscored > 0)[whole].any()


def test_voxels_of_a_coarse_block_are_means(structure):
    drawing = Drawing(size=((6, 6), (7, 7), (8, 8)), **STILL, oversampling=2)
    block = drawing.draw(structure, (2, 2, 2), np.random.default_rng(0))
    image = torch.nn.functional.avg_pool3d(structure.image, 2)[0]
    assert np.abs(block.image / 255 - ((image - image.min()) / (image.max() - image.min())).numpy()).max() < 0.01
    shares = torch.nn.functional.avg_pool3d(structure.target.float(), 2)
    assert np.abs(block.target.swapaxes(0, 1) / 255 - shares.numpy()).max() < 0.01
    assert {0.5, 1} <= set(shares.unique().tolist())


@pytest.mark.parametrize("empty", [0, 1])
def test_beyond_the_image_there_is_nothing_or_its_border_goes_on(structure, empty):
    image = structure.image + 1
    drawing = Drawing(size=((20, 20), (14, 14), (16, 16)), **STILL, empty=empty)
    block = drawing.draw(replace(structure, image=image), (1, 1, 1), np.random.default_rng(0))
    beyond = np.concatenate([block.image[:3], block.image[-3:]])
    assert (beyond == 0).all() == bool(empty)


def test_block_n_is_the_same_after_a_break(structure):
    through, after = pool_of(structure), pool_of(structure)
    for number in range(9):
        blocks = through.at(number)
    for one, other in zip(blocks, after.at(8)):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.target, other.target)


def test_a_pool_renews_its_blocks_at_its_rate(structure):
    pool = pool_of(structure, size=4, renewed=0.5)
    first = list(pool.at(0))
    assert all(one is other for one, other in zip(first, pool.at(1)))
    assert [any(block is known for known in first) for block in pool.at(2)] == [True, True, True, False]
    assert not any(block is known for known in first for block in pool.at(8))


def test_slices_come_with_their_neighbours_and_are_cut_or_padded():
    image = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 6, 3), np.uint8)
    target = np.zeros((4, 1, 6, 3), np.uint8)
    target[2, 0, 2:4] = 255
    sampler = PoolSampler([], 3, 2, (4, 5), foreground_share=1.0)
    planes, shares = sampler.draw_slice(Block(image, target, None), np.random.default_rng(0))
    assert planes.shape == (3, 4, 5)
    assert [int(plane[0, 0]) for plane in planes] == [1, 2, 3]
    assert shares.shape == (3, 4, 5)
    np.testing.assert_array_equal(shares[0], 255 * np.array([0, 1, 1, 0])[:, None] * np.ones((1, 5)))
    assert not shares[1:].any()


def test_a_batch_says_what_is_known_of_each_sample(tmp_path):
    preset = Preset.from_json(collections_settings())
    data = prepare_collections(write_collections(tmp_path), tmp_path / "model", preset, seed=0)
    batch, again = (data.sampler.draw_batch(0, np.random.default_rng(5)) for _ in range(2))
    assert batch.image.shape == (4, 3, 24, 28)
    assert batch.target.shape == (4, 3, 24, 28)
    assert torch.equal(batch.image, again.image)
    assert batch.knowledge.whole_only.tolist() == [False, False, True, True]
    assert batch.knowledge.protocols.tolist() == [3, -3, -3, -3]
    assert batch.knowledge.votes.tolist() == [True, False, True, True]
    assert data.sampler.draw_batch(0, np.random.default_rng(6)).image.ne(batch.image).any()
