"""Hosts with a network between them: a namespace each, behind one switch in a namespace of its own.

What runs on a host sees nothing but its own addresses; the tests themselves are one of the hosts.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

NETWORK = "10.213.87"


@dataclass
class Host:
    """One host: its address, and what runs on it."""

    space: str
    address: str
    plug: str
    switch: str
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, words: Sequence[str]) -> list[str]:
        """The words that run a command on this host."""
        return ["ip", "netns", "exec", self.space, *words]

    def start(self, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(words),
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def cut_off(self) -> None:
        """Pull the plug of the network."""
        _ip("-n", self.switch, "link", "set", self.plug, "down")

    def plug_in(self) -> None:
        _ip("-n", self.switch, "link", "set", self.plug, "up")

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


class Lan:
    """The switch, and the hosts at it."""

    def __init__(self, ending: ExitStack) -> None:
        self._ending = ending
        self._name = f"ot{os.getpid() % 100_000}"
        self._made = 1
        self.switch = self._space("sw")
        _ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "bridge", "up")
        mine = f"{self._name}me"
        self._ending.callback(_ip, "link", "del", mine, check=False)
        _ip("link", "add", mine, "type", "veth", "peer", "name", "me", "netns", self.switch)
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", mine)
        _ip("link", "set", mine, "up")
        self._plug_in("me")

    def host(self, name: str) -> Host:
        """Make a host."""
        space = self._space(name)
        self._made += 1
        made = Host(space, f"{NETWORK}.{self._made}", name, self.switch)
        _ip("-n", space, "link", "add", "eth0", "type", "veth", "peer", name, "netns", self.switch)
        _ip("-n", space, "addr", "add", f"{made.address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", space, "link", "set", link, "up")
        self._plug_in(name)
        self._ending.callback(made.end)
        return made

    def _space(self, name: str) -> str:
        space = f"{self._name}{name}"
        _ip("netns", "add", space)
        self._ending.callback(_ip, "netns", "del", space, check=False)
        return space

    def _plug_in(self, link: str) -> None:
        _ip("-n", self.switch, "link", "set", link, "master", "bridge")
        _ip("-n", self.switch, "link", "set", link, "up")


@contextmanager
def lan() -> Iterator[Lan]:
    """Make a network, and take it away afterwards; skips where that is not allowed."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("needs root, and Debian's iproute2")
    with ExitStack() as ending:
        try:
            made = Lan(ending)
        except PermissionError as error:
            pytest.skip(f"needs network namespaces: {error}")
        yield made


def _ip(*words: str, check: bool = True) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode:
        said = done.stderr.strip()
        if "not permitted" in said or "mount" in said:
            raise PermissionError(said)
        raise RuntimeError(f"ip {' '.join(words)}: {said}")
