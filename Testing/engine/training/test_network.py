"""The cascade as a PyTorch module means what the engine's means, and has the gradients that training needs."""

from dataclasses import replace

import numpy as np
import pytest
from support.random_models import random_model

from MedNCALib.automaton.firing import FIRINGS, FireDraws
from MedNCALib.numerics.resampling import METHODS, sampling_matrix

torch = pytest.importorskip("torch", reason="training needs torch")

from torch.nn import functional

from MedNCALib.training.network import Automaton, Network, resize

PRECISIONS = (torch.float32, torch.bfloat16)


def test_the_network_computes_what_the_engine_computes():
    cascade = random_model(strength=0.5).cascade
    architecture = replace(cascade.architecture, fire_rate=1.0)
    network = Network(architecture)
    network.load_rules(cascade.rules)
    image = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    state = None
    for index, (stage, automaton) in enumerate(zip(architecture.stages, network.automata)):
        state = automaton(network.initial_state(image, index, state), stage.steps, torch.Generator(), torch.float32)
    *_, last = replace(cascade, architecture=architecture).run(
        image.numpy().transpose(0, 2, 3, 1), range(2), FireDraws(1.0)
    )
    np.testing.assert_allclose(state.detach().numpy().transpose(0, 2, 3, 1), last.state, atol=1e-4)
    for one, other in zip(network.to_cascade().rules, cascade.rules):
        for name, array in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), array)


def test_a_stage_that_joins_begins_as_the_one_before_it_and_keeps_what_it_has_learned():
    network = Network(random_model(stages=((2, 3), (1, 3))).cascade.architecture)
    assert network.joined == 2
    coarse, fine = network.automata
    network.join(1)
    with torch.no_grad():
        coarse.update.normal_()
    state = network.initial_state(torch.rand(1, 3, 16, 16), 1, torch.rand(1, 10, 8, 8))
    assert torch.equal(fine(state, 3, torch.Generator()), state)  # hands over what it is given
    network.join(2)
    for name, value in coarse.named_parameters():
        assert torch.equal(value, fine.state_dict()[name])
    with torch.no_grad():
        fine.update.mul_(2)
    network.join(2)
    assert not torch.equal(coarse.update, fine.update)


def plain_reading(automaton, architecture, state, steps, generator):
    """The rule with independent firing as one would write it down: all of it for every cell, then who fires."""
    filters = automaton.perception.view(-1, architecture.channels, 3, 3)
    hidden, update = automaton.hidden[:, :, None, None], automaton.update[:, :, None, None]
    for _ in range(steps):
        fires = torch.rand(len(state), *state.shape[2:], generator=generator) < architecture.fire_rate
        framed = functional.pad(state, (1,) * 4, mode={"edge": "replicate"}.get(architecture.padding, "reflect"))
        perceived = functional.conv2d(framed, filters, automaton.perception_bias)
        known = functional.conv2d(torch.cat([state, perceived], dim=1), hidden, automaton.hidden_bias)
        change = functional.conv2d(functional.relu(known), update)
        change[:, : architecture.image_channels] = 0
        state = state + change * fires[:, None]
    return state


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("padding", "fire_rate"), [("edge", 0.5), ("reflect", 0.5), ("edge", 1.0)])
def test_states_and_gradients_are_those_of_the_plain_reading(padding, fire_rate, precision):
    torch.manual_seed(0)
    architecture = random_model().cascade.architecture
    architecture = replace(architecture, padding=padding, fire_rate=fire_rate, firing="independent")
    automaton = Automaton(architecture)
    torch.nn.init.normal_(automaton.update, std=0.1)
    image = torch.rand(3, architecture.channels, 24, 20)
    results = []
    for run in (
        lambda state, generator: plain_reading(automaton, architecture, state, 3, generator),
        lambda state, generator: automaton(state, 3, generator, precision),
    ):
        automaton.zero_grad()
        state = image.clone().requires_grad_()
        after = run(state, torch.Generator().manual_seed(1))
        after.square().mean().backward()
        results.append([after.detach(), state.grad, *(parameter.grad.clone() for parameter in automaton.parameters())])
    assert (results[0][0] != image).any()
    for expected, found in zip(*results):
        assert (found - expected).norm() < (1e-4 if precision == torch.float32 else 0.02) * expected.norm()


def test_a_step_in_which_no_cell_fires_changes_nothing():
    architecture = replace(random_model().cascade.architecture, fire_rate=1e-6)
    automaton = Automaton(architecture)
    torch.nn.init.normal_(automaton.update, std=0.1)
    state = torch.rand(1, architecture.channels, 2, 2, requires_grad=True)
    after = automaton(state, 2, torch.Generator().manual_seed(0))
    assert torch.equal(after, state)
    after.sum().backward()
    assert torch.allclose(state.grad, torch.ones_like(state), atol=1e-4)  # silent units are pushed up


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_stage_whose_units_are_all_dead_recovers(precision):
    torch.manual_seed(0)
    automaton = Automaton(random_model().cascade.architecture)
    torch.nn.init.normal_(automaton.update, std=0.1)
    torch.nn.init.constant_(automaton.hidden_bias, -3.0)
    image = torch.rand(4, automaton.perception.shape[1] // 9, 16, 16)
    optimiser = torch.optim.Adam(automaton.parameters(), lr=0.02)
    batches = 0
    while torch.equal(after := automaton(image, 2, torch.Generator().manual_seed(1), precision), image):
        assert batches < 300
        optimiser.zero_grad()
        after.square().mean().backward()
        optimiser.step()
        batches += 1
    assert batches > 0


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("firing", FIRINGS)
def test_cells_fire_in_training_as_in_the_engine(precision, firing):
    # A rule that counts: each time that a cell fires, one is added to its last channel.
    architecture = replace(random_model().cascade.architecture, firing=firing)
    automaton = Automaton(architecture)
    with torch.no_grad():
        for parameter in automaton.parameters():
            parameter.zero_()
        automaton.hidden_bias[0] = automaton.update[-1, 0] = 1
        state = torch.zeros(8, architecture.channels, 40, 40)
        counts = automaton(state, 6, torch.Generator().manual_seed(0), precision)[:, -1]
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
