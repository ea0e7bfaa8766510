"""What training on many devices costs in memory and traffic: the table of docs/scale.md.

python -m benchmarks.scale_arithmetic
"""

from __future__ import annotations

from typing import NamedTuple

NUMBER = 4  # bytes of a float32
# Loss and measure of each step; what an instrumented step records of each layer.
STEP_NUMBERS, VITAL_NUMBERS = 2, 15


class Job(NamedTuple):
    """What is trained, on what.

    Attributes:
        weights: of a lane.
        lanes: all of them.
        lane_devices: along the axis `lane`.
        batch_devices: along the axis `batch`.
        batch: rows of a step.
        row_bytes: of a row as it lies on a device.
        rows: of the data.
        outputs: of all layers, for a row.
        layers: with vital signs.
        memory: numbers that the update rule keeps for a weight; Adam's are two.
    """

    weights: int
    lanes: int
    lane_devices: int
    batch_devices: int
    batch: int
    row_bytes: int
    rows: int
    outputs: int
    layers: int
    memory: int = 2

    @property
    def lanes_here(self) -> int:
        """Of a device."""
        return -(-self.lanes // self.lane_devices)

    @property
    def data_bytes(self) -> int:
        """Of all rows, which lie whole on every device."""
        return self.rows * self.row_bytes

    @property
    def state_bytes(self) -> int:
        """Of the lanes of a device: weights and the rule's memory, gradient and update."""
        return self.lanes_here * self.weights * NUMBER * (3 + self.memory)

    @property
    def output_bytes(self) -> int:
        """Of a device: each layer's output, its derivative, and the backward signal."""
        rows = self.batch // self.batch_devices
        return self.lanes_here * rows * self.outputs * NUMBER * 3

    @property
    def step_bytes(self) -> float:
        """That a device sends in a step: a ring's sum of the gradients of its lanes."""
        ring = 2 * (self.batch_devices - 1) / self.batch_devices
        return ring * self.lanes_here * self.weights * NUMBER

    def dispatch_bytes(self, steps: int, records: int) -> int:
        """That each device is given after a dispatch: what all lanes recorded."""
        if self.lane_devices == 1:
            return 0
        each = steps * STEP_NUMBERS + records * self.layers * VITAL_NUMBERS
        return self.lanes * each * NUMBER

    @property
    def checkpoint_bytes(self) -> int:
        """Of a checkpoint; where lanes are spread each host is given as many."""
        return self.lanes * self.weights * NUMBER * (1 + self.memory)


def jobs() -> dict[str, Job]:
    """Return the worked examples."""
    mnist = {"row_bytes": 784, "rows": 60_000, "outputs": 1034, "layers": 6}
    large = {"row_bytes": 150_528, "rows": 100_000, "outputs": 11_000_000, "layers": 107}
    found = {}
    for devices in (1, 8, 64, 1000):
        found[f"a run, {devices} devices"] = Job(25_600_000, 1, 1, devices, 32 * devices, **large)
    for devices in (1, 8, 64, 1000):
        found[f"a study, {16 * devices} lanes, {devices} devices"] = Job(
            109_386, 16 * devices, devices, 1, 32, **mnist
        )
    return found


def size(number: float) -> str:
    """Return bytes as people read them.

    >>> size(0), size(1_500_000), size(2.1e10)
    ('0', '1.5 MB', '21 GB')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            value = number / unit
            return f"{value:,.0f} {name}" if value >= 100 else f"{value:.2g} {name}"
    return f"{number:.0f}"


def main() -> None:
    print("| job | data | lanes' state | outputs | sent a step | a dispatch | a checkpoint |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, job in jobs().items():
        cells = (
            job.data_bytes,
            job.state_bytes,
            job.output_bytes,
            job.step_bytes,
            job.dispatch_bytes(512, 32),
            job.checkpoint_bytes,
        )
        print(f"| {name} | {' | '.join(map(size, cells))} |")


if __name__ == "__main__":
    main()
