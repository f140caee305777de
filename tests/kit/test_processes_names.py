import subprocess
import sys

from ordertrail.kit import processes

SAY = "from ordertrail.kit import processes; print(processes.name(), flush=True); input()"


def test_a_process_is_there_until_it_has_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        name = other.stdout.readline().strip()
        assert not processes.is_gone(name)
        other.kill()
        other.wait()
        assert processes.is_gone(name)
    assert not processes.is_gone(processes.name())


def test_a_number_that_is_used_again_is_another_process() -> None:
    machine, space, number, began = processes.name().split("/")
    assert processes.is_gone(f"{machine}/{space}/{number}/{int(began) - 1}")


def test_of_a_process_elsewhere_nothing_is_known() -> None:
    _, space, number, _ = processes.name().split("/")
    assert not processes.is_gone(f"elsewhere/{space}/{number}/1")
    assert not processes.is_gone(f"{processes.name().split('/')[0]}/1/{number}/1")
    assert not processes.is_gone("a worker of tests")
