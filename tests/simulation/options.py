"""What one simulation is like: drawn from its seed, so that seeds differ in kind and in luck."""

import random
from dataclasses import dataclass, fields, replace

from ordertrail.domain.identity import Strategy
from ordertrail.sync.rules import Flow, FlowName, Milestone
from simulation.endpoint import HOSTED, PLATFORM, WITHOUT_BATCHES, Kind
from simulation.faults import CALM, ROUGH, Faults

SOMETIMES = (0.0, 0.0, 1.0, 1.0, 2.0)


@dataclass(frozen=True)
class Options:
    """The kind of destination, the flow, the shops, the workers and the faults."""

    kind: Kind
    flow: Flow
    ranks_by: tuple[str, ...]
    workers: int
    actions: int
    faults: Faults


def drawn(chance: random.Random, actions: int) -> Options:
    """Draw the options; each fault is left out, as it is, or doubled."""
    return Options(
        kind=chance.choice([PLATFORM, WITHOUT_BATCHES, HOSTED, HOSTED]),
        flow=_flow(chance),
        ranks_by=chance.choice([("version",), ("version", "updated_at"), ("updated_at", "")]),
        workers=chance.randint(1, 3),
        actions=actions,
        faults=_faults(chance),
    )


def _flow(chance: random.Random) -> Flow:
    returns = chance.choice([(), (), ("return",), ("return", "refund")])
    flow = Flow(returns=returns, identity=chance.choice(list(Strategy)))
    if chance.random() < 0.2:
        point = chance.choice([Milestone.PLACED, Milestone.FULFILLED])
        return replace(flow, name=FlowName.SIMPLE, sync_point=point)
    return flow


def _faults(chance: random.Random) -> Faults:
    if chance.random() < 0.05:
        return CALM
    names = [each.name for each in fields(Faults)]
    return Faults(**{name: getattr(ROUGH, name) * chance.choice(SOMETIMES) for name in names})
