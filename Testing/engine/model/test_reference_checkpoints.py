"""Imported checkpoints against a plain reading of what the reference implementation computes."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import noise_image

from MedNCALib import load_model, segment
from MedNCALib.automaton.firing import FireDraws
from MedNCALib.errors import ModelError
from MedNCALib.model.reference_checkpoints import import_reference

torch = pytest.importorskip("torch", reason="reading PyTorch checkpoints needs torch")


def checkpoint(seed, channels=8, hidden=16):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator) * 0.5 / np.prod(shape[1:] or (4,)) ** 0.5

    return {
        "fc0.weight": normal(hidden, 3 * channels),
        "fc0.bias": normal(hidden),
        "fc1.weight": normal(channels, hidden),
        "p0.weight": normal(channels, channels, 3, 3),
        "p0.bias": normal(channels),
        "p1.weight": normal(channels, channels, 3, 3),
        "p1.bias": normal(channels),
    }


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "model0.pth", tmp_path / "model1.pth"]
    for seed, path in enumerate(paths):
        torch.save(checkpoint(seed), path)
    return paths


def read_plainly(image, weights, steps, fires):
    """Two stages as the reference computes them: states (n, x, y, c), both axes swapped before each convolution.

    image: (n, x, y) with sides that are multiples of 4. fires: one list of masks (n, x, y) a stage.
    """

    def automaton(state, w, masks):
        for mask in masks:
            x = state.transpose(1, 3)  # (n, c, y, x)
            framed = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")
            p0, p1 = (torch.nn.functional.conv2d(framed, w[f"{p}.weight"], w[f"{p}.bias"]) for p in ("p0", "p1"))
            y = torch.cat([x, p0, p1], dim=1).transpose(1, 3)
            hidden = torch.relu(y @ w["fc0.weight"].T + w["fc0.bias"])
            after = state + (hidden @ w["fc1.weight"].T) * mask[..., None]
            state = torch.cat([state[..., :1], after[..., 1:]], dim=-1)
        return state

    channels = weights[0]["fc1.weight"].shape[0]
    small = torch.nn.functional.interpolate(image[:, None], scale_factor=0.25, mode="bilinear", align_corners=False)
    seed = torch.zeros(*small.shape[0:1], *small.shape[2:], channels)
    seed[..., 0] = small[:, 0]
    state = automaton(seed, weights[0], fires[0])
    state = state.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)
    state = torch.cat([image[..., None], state[..., 1:]], dim=-1)
    return automaton(state, weights[1], fires[1])[..., 1]


def test_an_imported_model_computes_what_the_reference_computes(files, tmp_path):
    model = import_reference(*files, tmp_path / "imported", size=16, steps=5)
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(3))  # (n, x, y)
    slices = image.numpy().transpose(0, 2, 1)[..., None]  # rows run along y, columns along x
    draws = FireDraws(model.cascade.architecture.fire_rate, seed=2)
    fires = [
        [torch.from_numpy(draws.draw(stage, step, range(3), size, size).transpose(0, 2, 1)) for step in range(5)]
        for stage, size in ((0, 4), (1, 16))
    ]
    expected = read_plainly(image, [checkpoint(0), checkpoint(1)], 5, fires)
    *_, last = model.cascade.run(slices, range(3), draws)
    np.testing.assert_allclose(last.state[..., 1].transpose(0, 2, 1), expected, atol=1e-4)


def test_the_reference_fires_above_its_rate(files, tmp_path):
    model = import_reference(*files, tmp_path / "imported", fire_rate=0.3)
    assert model.cascade.architecture.fire_rate == pytest.approx(0.7)


def test_each_slice_is_a_square_scaled_by_its_own_percentiles(files, tmp_path):
    model = import_reference(*files, tmp_path / "imported", size=32)
    assert model.slice_format.size == (32, 32)
    bright_and_dark = np.stack([np.random.default_rng(0).random((32, 32)) * gain for gain in (1, 1000)])
    scaled = model.normalisation.apply(bright_and_dark.astype(np.float32), None)
    np.testing.assert_allclose(scaled[0], scaled[1], atol=1e-5)
    assert scaled.min() == 0
    assert scaled.max() == 1


def test_an_imported_folder_loads_and_segments(files, tmp_path):
    import_reference(*files, tmp_path / "imported", size=16, steps=2)
    image = noise_image()
    labels = segment(image, load_model(tmp_path / "imported")).labels
    assert labels.GetSize() == image.GetSize()
    assert sitk.GetArrayViewFromImage(labels).max() <= 1


def test_other_files_are_refused_by_name(files, tmp_path):
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match=r"wrong\.pth is not a PyTorch state dict"):
        import_reference(files[0], wrong, tmp_path / "imported")
    torch.save({"weight": torch.zeros(3)}, wrong)
    with pytest.raises(ModelError, match=r"lacks fc0\.weight"):
        import_reference(files[0], wrong, tmp_path / "imported")
    with pytest.raises(ModelError, match="does not exist"):
        import_reference(files[0], tmp_path / "none.pth", tmp_path / "imported")
    torch.save(checkpoint(5, channels=12), wrong)
    with pytest.raises(ModelError, match="different numbers of channels"):
        import_reference(files[0], wrong, tmp_path / "imported")
    assert not (tmp_path / "imported").exists()


def test_a_checkpoint_that_would_run_code_is_refused(files, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"fc0.weight": Trap()}, files[1])
    with pytest.raises(ModelError, match="loaded safely"):
        import_reference(*files, tmp_path / "imported")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("settings", "message"), [({"size": 30}, "multiple of 4"), ({"steps": 0}, "at least 1")])
def test_settings_that_do_not_fit_are_refused(files, tmp_path, settings, message):
    with pytest.raises(ModelError, match=message):
        import_reference(*files, tmp_path / "imported", **settings)
