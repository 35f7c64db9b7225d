"""Energy counters that stand in a folder, and an NVML that is made up."""

import sys
import time
from types import SimpleNamespace

import pytest

from masktune.study.run import energy


def zone(root, name, what, microjoules, span=1_000_000):
    folder = root / name
    folder.mkdir(parents=True)
    for file, value in (("name", what), ("energy_uj", microjoules), ("max_energy_range_uj", span)):
        (folder / file).write_text(f"{value}\n")
    return folder / "energy_uj"


@pytest.fixture
def powercap(tmp_path):
    """Two packages, one with memory, and zones that hold the same energy a second time."""
    return SimpleNamespace(
        root=tmp_path,
        first=zone(tmp_path, "intel-rapl:0", "package-0", 100),
        core=zone(tmp_path, "intel-rapl:0:0", "core", 0),
        memory=zone(tmp_path, "intel-rapl:0:1", "dram", 5),
        second=zone(tmp_path, "intel-rapl:1", "package-1", 999_000),
        platform=zone(tmp_path, "intel-rapl:2", "psys", 0),
        again=zone(tmp_path, "intel-rapl-mmio:0", "package-0", 100),
    )


@pytest.fixture
def nvml(monkeypatch):
    """A pynvml whose GPU has drawn 40 J so far."""

    class NVMLError(Exception):
        pass

    def handle(uuid):
        if uuid != "GPU-1":
            raise NVMLError("not found")
        return uuid

    fake = SimpleNamespace(
        NVMLError=NVMLError,
        millijoules=40_000,
        open=0,
        nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: fake.millijoules,
    )
    fake.nvmlInit = lambda: setattr(fake, "open", fake.open + 1)
    fake.nvmlShutdown = lambda: setattr(fake, "open", fake.open - 1)
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


NOTHING = {f"{what}_energy_{item}": None for what in ("host", "device") for item in ("joules", "method")}


def test_packages_and_memory_are_added_and_nothing_is_counted_twice(powercap):
    with energy.measure(None, powercap.root) as record:
        powercap.first.write_text("300100\n")
        powercap.memory.write_text("100005\n")
        powercap.core.write_text("300000\n")
        powercap.platform.write_text("900000\n")
        powercap.again.write_text("300100\n")
    assert record["host_energy_joules"] == pytest.approx(0.4)
    assert record["host_energy_method"] == energy.RAPL
    assert record["device_energy_joules"] is None


def test_a_counter_that_wraps_around_goes_on(powercap):
    counters = energy.rapl(powercap.root)
    meter = energy.Meter("m", counters)
    for microjoules in (999_000, 2_000, 500_000, 1_000):
        powercap.second.write_text(f"{microjoules}\n")
        meter.update()
    assert meter.joules == pytest.approx(1e-6 * (3_000 + 498_000 + 501_000))


def test_long_blocks_are_read_on_the_way(powercap, monkeypatch):
    monkeypatch.setattr(energy, "SECONDS_BETWEEN_READINGS", 0.01)
    readings = []
    monkeypatch.setattr(energy.Counter, "update", lambda counter: readings.append(counter))
    with energy.measure(None, powercap.root):
        deadline = time.monotonic() + 10
        while len(readings) < 9 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(readings) >= 12


def test_without_counters_energy_is_null_and_never_zero(tmp_path, powercap):
    with energy.measure(None, tmp_path / "no such folder") as record:
        pass
    assert record == NOTHING
    with energy.measure(None, powercap.root) as record:
        pass
    assert record == NOTHING


def test_a_counter_that_only_root_may_read_counts_as_none(powercap):
    powercap.first.unlink()
    powercap.first.mkdir()
    assert len(energy.rapl(powercap.root)) == 2


def test_a_counter_lost_on_the_way_gives_null_and_ends_nothing(powercap):
    meter = energy.Meter("m", energy.rapl(powercap.root))
    meter.update()
    powercap.memory.unlink()
    powercap.first.write_text("200\n")
    meter.update()
    assert meter.joules is None


def test_the_gpu_is_read_through_nvml(nvml, tmp_path):
    with energy.measure("GPU-1", tmp_path) as record:
        nvml.millijoules += 2_500
    assert (record["device_energy_joules"], record["device_energy_method"]) == (2.5, energy.NVML)
    assert record["host_energy_joules"] is None
    assert nvml.open == 0


def test_a_gpu_without_counter_a_missing_driver_and_a_missing_package_give_null(nvml, tmp_path, monkeypatch):
    def no_driver():
        raise nvml.NVMLError("driver not loaded")

    for change in (lambda: None, lambda: setattr(nvml, "nvmlInit", no_driver)):
        change()
        with energy.measure("GPU-2", tmp_path) as record:
            pass
        assert record == NOTHING
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with energy.measure("GPU-1", tmp_path) as record:
        pass
    assert record == NOTHING


def test_an_error_in_the_block_passes_through(nvml, tmp_path):
    with pytest.raises(ZeroDivisionError), energy.measure("GPU-1", tmp_path) as record:
        1 / 0  # noqa: B018
    assert record == NOTHING
    assert nvml.open == 0
