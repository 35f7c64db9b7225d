"""Energy, from counters that the machine itself keeps. Where there is none the energy is None, never 0.

host    RAPL: the counters of the processor packages and their memory, as Linux shows them below /sys/class/powercap
device  NVML: the counter of one NVIDIA GPU since its driver was loaded (nvidia-ml-py, an optional package)

Both count whatever runs on the processor or the GPU at the time, other programs and other cells included.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import ModuleType

POWERCAP = Path("/sys/class/powercap")
# A RAPL counter starts again at zero after minutes at full load: it is read often enough to see each time.
SECONDS_BETWEEN_READINGS = 20
RAPL = "RAPL counters of processor packages and memory, the whole machine"
NVML = "NVML energy counter, the whole GPU"


@dataclass
class Counter:
    """A counter of energy that only grows, until it wraps around after `span` (None: never), in units of `joules`."""

    read: Callable[[], int]
    joules: float
    span: int | None = None
    last: int | None = None
    total: float = 0.0

    def update(self) -> None:
        """Add what was drawn since the last call; the first call only notes the value of the counter."""
        value = self.read()
        if self.last is not None:
            drawn = value - self.last
            self.total += (drawn + self.span if drawn < 0 and self.span else drawn) * self.joules
        self.last = value


@dataclass
class Meter:
    """Several counters read together. `joules` is their sum, None where there is none or one could not be read."""

    method: str
    counters: list[Counter] = field(default_factory=list)
    failed: bool = False

    def update(self) -> None:
        try:
            for counter in self.counters:
                counter.update()
        except Exception:  # a file that became unreadable, an error of NVML: no reason to end a training
            self.failed = True

    @property
    def joules(self) -> float | None:
        """What was drawn between the first reading and the last. A counter that never moves measures nothing."""
        total = sum(counter.total for counter in self.counters)
        return total if total > 0 and not self.failed else None

    def record(self, what: str) -> dict[str, float | str | None]:
        """{"<what>_energy_joules": ..., "<what>_energy_method": ...}, both None where nothing was measured."""
        joules = self.joules
        return {
            f"{what}_energy_joules": None if joules is None else round(joules, 3),
            f"{what}_energy_method": None if joules is None else self.method,
        }


@contextmanager
def measure(gpu: str | None, powercap: Path = POWERCAP) -> Iterator[dict[str, float | str | None]]:
    """Measure the block; what it drew stands in the given record once the block is left.

    `gpu` is the UUID of the GPU that it uses, as NVML writes it, or None. The keys of the record: host_energy_joules,
    host_energy_method, device_energy_joules, device_energy_method.
    """
    record: dict[str, float | str | None] = {}
    with _nvml(gpu) as device:
        meters = {"host": Meter(RAPL, rapl(powercap)), "device": Meter(NVML, device)}
        ended = Event()
        reader = Thread(target=_read_until, args=(ended, meters.values()), daemon=True)
        _read(meters.values())
        reader.start()
        try:
            yield record
        finally:
            ended.set()
            reader.join()
            _read(meters.values())
            for what, meter in meters.items():
                record |= meter.record(what)


def _read_until(ended: Event, meters: Iterable[Meter]) -> None:
    while not ended.wait(SECONDS_BETWEEN_READINGS):
        _read(meters)


def _read(meters: Iterable[Meter]) -> None:
    for meter in meters:
        meter.update()


def rapl(powercap: Path = POWERCAP) -> list[Counter]:
    """The readable counters of packages and of memory, which no package includes; [] where there is none.

    The zones `core` and `uncore` are parts of their package, and `psys` holds all of it once more.
    """
    counters = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        with suppress(OSError, ValueError):
            if _text(zone / "name").startswith(("package", "dram")):
                read = _reader(zone / "energy_uj")
                read()
                counters.append(Counter(read, joules=1e-6, span=int(_text(zone / "max_energy_range_uj"))))
    return counters


def _reader(path: Path) -> Callable[[], int]:
    return lambda: int(_text(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


@contextmanager
def _nvml(gpu: str | None) -> Iterator[list[Counter]]:
    """The energy counter of a GPU; none where the package, the driver or the GPU lacks it."""
    pynvml = _load_nvml() if gpu else None
    if gpu is None or pynvml is None:
        yield []
        return
    try:
        yield _gpu_counters(pynvml, gpu)
    finally:
        pynvml.nvmlShutdown()


def _load_nvml() -> ModuleType | None:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # not installed, or NVML's own error: no driver
        return None
    return pynvml


def _gpu_counters(pynvml: ModuleType, gpu: str) -> list[Counter]:
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(gpu)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return []
    return [Counter(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle), joules=1e-3)]
