"""Tests Home Assistant's states after random sequences of events and actions."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
import pytest

from ..clocks import Clocks
from .conftest import STEPS, marks_of
from .state_machine.machine import PAIR, Machine, machine_for
from .state_machine.model import Sequence, ServiceModel
from .state_machine.models import MODELS

QUICK = (4, 15)
EXTENDED = (20, 40)
"""Examples for each seed, and steps of each example."""
_SEEDS = range(3, 12)
"""Minimum and maximum number of seeds in the extended form; it stops once every rule has run."""


@pytest.fixture
def taken(request: pytest.FixtureRequest, model: type[ServiceModel]) -> Iterator[Counter[str]]:
    """Number of runs of each step and interleaved pair, added to the test's report."""
    taken = Counter[str]()
    yield taken
    steps = {name: count for name, count in sorted(taken.items()) if PAIR not in name}
    figures = {
        "steps": sum(steps.values()),
        "kinds of steps": len(steps),
        "pairs that were interleaved": len(taken) - len(steps),
        **steps,
    }
    request.node.user_properties.append((STEPS, [model.case.name, figures]))


@pytest.mark.parametrize(
    "model",
    [pytest.param(model, id=model.case.name, marks=marks_of(model.case)) for model in MODELS],
)
def test_any_sequence(
    model: type[ServiceModel],
    clocks: Clocks,
    caplog: pytest.LogCaptureFixture,
    taken: Counter[str],
    pytestconfig: pytest.Config,
) -> None:
    machine = machine_for(model, clocks, caplog, taken)
    rules = {rule.function.__name__ for rule in machine().rules}
    if not pytestconfig.getoption("extended"):
        run(machine, 0, *QUICK)
        return
    for number in range(_SEEDS.stop):
        run(machine, number, *EXTENDED)
        if number + 1 >= _SEEDS.start and rules <= taken.keys():
            break
    assert rules <= taken.keys(), f"never taken: {rules - taken.keys()}"


def run(machine: type[Machine], number: int, examples: int, steps: int) -> None:
    """Runs examples of a seed, with a number of steps each."""
    run_state_machine_as_test(
        seed(number)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Hypothesis limits shrinking by time, which is frozen here.
            phases=(Phase.generate,),
        ),
    )


@pytest.mark.parametrize(
    "model, sequence",
    [
        pytest.param(model, sequence, id=f"{model.case.name}: {sequence.__name__}")
        for model in MODELS
        for sequence in model.sequences
    ],
)
def test_known_sequence(
    model: type[ServiceModel],
    sequence: Sequence,
    clocks: Clocks,
    caplog: pytest.LogCaptureFixture,
    taken: Counter[str],
) -> None:
    """Runs a sequence that once failed, with the same rules and checks."""
    machine = machine_for(model, clocks, caplog, taken)()
    try:
        sequence(machine)
    finally:
        machine.teardown()
    assert taken["look"], "nothing was compared"
