"""The cascade as a PyTorch module means what the engine's means, and has the gradients that training needs."""

from dataclasses import replace

import numpy as np
import pytest
from automata import random_model

from MedNCALib.fire import FIRINGS, FireDraws
from MedNCALib.interpolation import METHODS, sampling_matrix

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.neighbourhoods import Neighbourhoods  # noqa: E402
from MedNCALib.training.network import WAYS, Automaton, Network, resize  # noqa: E402


def test_the_network_computes_what_the_engine_computes():
    cascade = random_model(strength=0.5).cascade
    architecture = replace(cascade.architecture, fire_rate=1.0)
    network = Network(architecture)
    network.load_rules(cascade.rules)
    image = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    state = None
    for index, (stage, automaton) in enumerate(zip(architecture.stages, network.automata)):
        state = automaton(network.seed(image, index, state), stage.steps, torch.Generator(), "firing cells")
    *_, last = replace(cascade, architecture=architecture).run(
        image.numpy().transpose(0, 2, 3, 1), range(2), FireDraws(1.0)
    )
    np.testing.assert_allclose(state.detach().numpy().transpose(0, 2, 3, 1), last.state, atol=1e-4)
    for one, other in zip(network.to_cascade().rules, cascade.rules):
        for name, array in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), array)


def test_the_gradient_of_neighbourhoods_is_that_of_the_cells_in_them():
    framed = torch.rand(2, 5, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    first = torch.tensor([0, 1, 9, 32, 45])  # of 3 x 3 cells: corners, neighbours, the second sample
    found = Neighbourhoods.apply(framed, first, 3)
    np.testing.assert_array_equal(found[2].view(3, 3, 3), framed[0, 1:4, 3:6])
    np.testing.assert_array_equal(found[3].view(3, 3, 3), framed[1, 0:3, 2:5])
    assert torch.autograd.gradcheck(lambda cells: Neighbourhoods.apply(cells, first, 3), framed.requires_grad_())


@pytest.mark.parametrize(
    ("padding", "fire_rate", "size"),
    [("edge", 0.5, (24, 20)), ("reflect", 0.5, (24, 20)), ("edge", 1.0, (64, 80))],  # the last in more than one piece
)
def test_all_ways_give_the_same_state_and_gradients(padding, fire_rate, size):
    torch.manual_seed(0)
    architecture = replace(random_model().cascade.architecture, padding=padding, fire_rate=fire_rate)
    automaton = Automaton(architecture)
    torch.nn.init.normal_(automaton.update, std=0.1)
    image = torch.rand(3, architecture.channels, *size)
    results = []
    for way in WAYS:
        automaton.zero_grad()
        state = image.clone().requires_grad_()
        after = automaton(state, 3, torch.Generator().manual_seed(1), way)
        after.square().mean().backward()
        results.append([after.detach(), state.grad, *(parameter.grad.clone() for parameter in automaton.parameters())])
    assert (results[0][0] != image).any()
    for expected, dense, rounded in zip(*results):
        np.testing.assert_allclose(dense, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
        assert (rounded - expected).norm() < 0.02 * expected.norm()  # bfloat16 has 8 bits


@pytest.mark.parametrize("way", WAYS)
def test_a_stage_whose_units_are_all_silent_is_heard_again(way):
    torch.manual_seed(0)
    automaton = Automaton(random_model().cascade.architecture)
    torch.nn.init.normal_(automaton.update, std=0.1)
    torch.nn.init.constant_(automaton.hidden_bias, -3.0)
    image = torch.rand(4, automaton.perception.shape[1] // 9, 16, 16)
    optimiser = torch.optim.Adam(automaton.parameters(), lr=0.02)
    batches = 0
    while torch.equal(after := automaton(image, 2, torch.Generator().manual_seed(1), way), image):
        assert batches < 300
        optimiser.zero_grad()
        after.square().mean().backward()
        optimiser.step()
        batches += 1
    assert batches > 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("firing", FIRINGS)
def test_cells_fire_in_training_as_in_the_engine(way, firing):
    # A rule that counts: each time that a cell fires, one is added to its last channel.
    architecture = replace(random_model().cascade.architecture, firing=firing)
    automaton = Automaton(architecture)
    with torch.no_grad():
        for parameter in automaton.parameters():
            parameter.zero_()
        automaton.hidden_bias[0] = automaton.update[-1, 0] = 1
        state = torch.zeros(8, architecture.channels, 40, 40)
        counts = automaton(state, 6, torch.Generator().manual_seed(0), way)[:, -1]
    draws = architecture.fire_draws(seed=0)
    expected = np.sum([draws.draw(0, step, range(8), 40, 40) for step in range(6)], axis=0)
    assert float(counts.mean()) == pytest.approx(3, abs=0.1)
    assert float(counts.std()) == pytest.approx(expected.std(), abs=0.1)
    assert expected.std() == (0 if firing == "antithetic" else pytest.approx(1.5**0.5, abs=0.1))


@pytest.mark.parametrize("method", METHODS)
def test_tensors_are_resized_with_the_engines_matrices(method):
    planes = torch.rand(1, 2, 8, 12, generator=torch.Generator().manual_seed(0))
    rows, columns = sampling_matrix(8, 4, method), sampling_matrix(12, 6, method)
    expected = np.einsum("ah,nchw,bw->ncab", rows, planes.numpy(), columns)
    np.testing.assert_allclose(resize(planes, (4, 6), method).numpy(), expected, atol=1e-6)
