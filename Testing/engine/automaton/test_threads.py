"""The kernels' threads: how many, what becomes of them, and that the libraries below get their own back."""

import gc
import threading
import time

import numpy as np
import pytest
from support.random_models import KERNELS, random_rule

from MedNCALib.automaton.kernels import make_kernel
from MedNCALib.numerics import blas_threads

STATE = np.random.default_rng(1).standard_normal((3, 96, 80, 8)).astype(np.float32)
EVERYONE = np.ones(STATE.shape[:3], bool)


@pytest.fixture(autouse=True)
def no_kernels_of_others():
    gc.collect()


def loaded(name, threads):
    kernel = make_kernel(name, random_rule(8), 1, "edge", threads)
    kernel.load(STATE)
    return kernel


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_has_no_more_threads_than_asked_for(name):
    before = set(threading.enumerate())  # others' threads may end meanwhile, so only new ones are counted
    one, three = loaded(name, 1), loaded(name, 3)
    one.step(EVERYONE)
    assert not set(threading.enumerate()) - before
    for _ in range(3):
        three.step(EVERYONE)
    assert 1 <= len(set(threading.enumerate()) - before) <= 2


@pytest.mark.parametrize("name", KERNELS)
def test_the_threads_end_with_the_kernel(name):
    before = set(threading.enumerate())
    kernel = loaded(name, 3)
    kernel.step(EVERYONE)
    assert set(threading.enumerate()) - before
    del kernel
    gc.collect()
    patience = time.monotonic() + 60
    while set(threading.enumerate()) - before and time.monotonic() < patience:
        time.sleep(0.01)
    assert not set(threading.enumerate()) - before


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_library_below_gets_its_number_of_threads_back(name, threads):
    kernel = loaded(name, threads)
    before = kernel.library_threads()
    kernel.step(EVERYONE)
    assert kernel.library_threads() == before

    def fail(*_):
        raise MemoryError

    kernel.advance = fail
    with pytest.raises(MemoryError):
        kernel.step(EVERYONE)
    assert kernel.library_threads() == before


def test_openblas_keeps_to_one_thread_until_its_last_user_has_done():
    functions = blas_threads._functions()
    if functions is None:
        pytest.skip("this NumPy works with another library")
    now, before = functions[0], blas_threads.threads()
    with blas_threads.one_thread():
        with blas_threads.one_thread():
            assert now() == 1
        assert now() == 1
        assert blas_threads.threads() == before
    assert now() == before


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_a_numpy_with_another_library_works(monkeypatch, threads):
    expected = loaded("numpy", 1)
    expected.step(EVERYONE)
    monkeypatch.setattr(blas_threads, "_functions", lambda: None)
    kernel = loaded("numpy", threads)
    kernel.step(EVERYONE)
    np.testing.assert_allclose(kernel.state, expected.state, atol=1e-6)


def test_pytorch_works_in_one_thread_within_each_of_the_kernels_own():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    kernel = loaded("torch", 2)
    kernel.step(EVERYONE)
    assert kernel._others.submit(torch.get_num_threads).result() == 1
    seen = []
    another = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    another.start()
    another.join()
    assert seen == [before]
