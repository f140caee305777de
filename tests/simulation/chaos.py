"""What befalls a machine: outages, full disks, jumping clocks, kills and stalls, turn by turn."""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulation.disk import Disk
from simulation.faults import Faults
from simulation.network import Network
from simulation.process import Process
from simulation.shop import HALF_DAYS, Shop
from simulation.trace import Trace
from simulation.virtual_time import Loop, WallClock

TURN_S_MAX = 15.0
ZONES = ("UTC", "Europe/Warsaw", "America/New_York", "Pacific/Apia", "Etc/GMT+12")
JUMPS_S = (-7_200.0, -3_600.0, -90.0, -1.0, 1.0, 40.0, 90.0, 3_600.0, 7_200.0)
LONG_S = (5.0, 60.0, 900.0)


@dataclass(frozen=True)
class Machine:
    """Everything that something can befall."""

    loop: Loop
    clock: WallClock
    network: Network
    disk: Disk
    shops: Sequence[Shop]
    processes: Callable[[], list[Process]]


class Chaos:
    """Lets misfortunes happen, by chance."""

    def __init__(
        self, machine: Machine, faults: Faults, chance: random.Random, trace: Trace
    ) -> None:
        self._machine = machine
        self._faults = faults
        self._chance = chance
        self._trace = trace

    async def run(self, audit: Callable[[], None]) -> None:
        """Let misfortunes happen until cancelled; audit the outbox after each turn."""
        while True:
            await self._machine.loop.pause(self._chance.random() * TURN_S_MAX)
            self.turn()
            audit()

    def turn(self) -> None:
        """Let each misfortune happen or not."""
        machine, faults, chance = self._machine, self._faults, self._chance
        if self._happens("the destination goes away", faults.outage):
            machine.network.go_away(chance.choice(LONG_S))
        if self._happens("the destination refuses the key", faults.locked_out):
            machine.network.lock_out(chance.choice(LONG_S))
        if self._happens("the disk is full", faults.disk_full):
            machine.disk.fill(chance.random() * LONG_S[1])
        if self._happens("the clock jumps", faults.clock_jump):
            machine.clock.jump(chance.choice(JUMPS_S))
        if self._happens("the zone changes", faults.zone_change):
            self._change_zone()
        for process in machine.processes():
            if self._happens(f"{process.name} is to be killed", faults.kill):
                process.kill_after(chance.randint(1, 60))
            if self._happens(f"{process.name} stalls", faults.stall):
                process.stall(chance.random() * 200.0)

    def _change_zone(self) -> None:
        set_zone(self._chance.choice(ZONES))
        for shop in self._machine.shops:
            shop.zone = self._chance.choice(HALF_DAYS)

    def _happens(self, what: str, chance: float) -> bool:
        if self._chance.random() >= chance:
            return False
        self._trace.step(what)
        return True


def set_zone(name: str) -> None:
    """Set the zone of this process, which nothing that is simulated may notice."""
    os.environ["TZ"] = name
    time.tzset()
