"""Several processes, on one machine or many, that do one job together under `jax.distributed`.

All of them run the same program on the same data; the first one alone writes, and its clock,
signals and files are those that count.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from surefoot.errors import InputError, SurefootError, TrainingError

COORDINATOR, COUNT, NUMBER = "SUREFOOT_COORDINATOR", "SUREFOOT_PROCESSES", "SUREFOOT_PROCESS"
_WAIT = "SUREFOOT_WAIT"
# What launchers tell each process, where ours do not say it.
_COUNTS = (COUNT, "OMPI_COMM_WORLD_SIZE", "SLURM_NTASKS")
_NUMBERS = (NUMBER, "OMPI_COMM_WORLD_RANK", "SLURM_PROCID", "JOB_COMPLETION_INDEX")
# By these JAX finds the coordinator itself.
_SLURM = ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID")
_OPEN_MPI = ("OMPI_MCA_orte_hnp_uri", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK")
# A host that is silent for so long is lost; one that ends is noticed at once, by its connections.
_SILENT_SECONDS = 15
_WAIT_SECONDS = 120
_MOST = 100_000


class Place(NamedTuple):
    """Which of the job's processes this one is.

    Attributes:
        count: how many there are.
        number: from 0.
        coordinator: address and port at which the first one listens; None where JAX finds it out.
    """

    count: int
    number: int
    coordinator: str | None


def place_of(environment: Mapping[str, str]) -> Place | None:
    """Return what a process's environment says of its job; None where it works alone.

    Raises:
        InputError: a variable is missing or makes no sense.

    >>> place_of({"SUREFOOT_COORDINATOR": "a:1", "SUREFOOT_PROCESSES": "2", "SLURM_PROCID": "1"})
    Place(count=2, number=1, coordinator='a:1')
    >>> place_of({"PATH": "/bin"}) is None
    True
    """
    coordinator = environment.get(COORDINATOR)
    if coordinator is None:
        for name in (COUNT, NUMBER):
            if name in environment:
                raise InputError(
                    f"{name} is set and {COORDINATOR} is not; set it to the first process's "
                    "address and a free port, such as 10.0.0.1:8476"
                )
        known = any(all(name in environment for name in own) for own in (_SLURM, _OPEN_MPI))
        if not known:
            return None
    count = _whole(environment, _COUNTS, "how many processes there are")
    if count == 1:
        return None
    if not 1 <= count <= _MOST:
        raise InputError(f"{COUNT} = {count}: must be from 1 to {_MOST:,}")
    number = _whole(environment, _NUMBERS, "which of them this one is, from 0")
    if not 0 <= number < count:
        raise InputError(f"{NUMBER} = {number}: must be from 0 to {count - 1}")
    if coordinator is not None:
        host, _, port = coordinator.rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
            raise InputError(
                f"{COORDINATOR} = {coordinator!r}: must be an address and a port, such as "
                "10.0.0.1:8476"
            )
    return Place(count, number, coordinator)


def _whole(environment: Mapping[str, str], names: tuple[str, ...], what: str) -> int:
    for name in names:
        text = environment.get(name)
        if text is not None:
            if text.isascii() and text.lstrip("-").isdigit():
                return int(text)
            raise InputError(f"{name} = {text!r}: must be a whole number")
    raise InputError(f"{names[0]} is not set; set it to {what}")


def several() -> bool:
    """Return whether this process does its job with others."""
    if "jax" not in sys.modules:
        return False
    import jax

    return jax.distributed.is_initialized()


def is_first() -> bool:
    """Return whether this process is the one that writes; one that works alone is."""
    if not several():
        return True
    import jax

    return jax.process_index() == 0


@contextmanager
def together() -> Iterator[None]:
    """Join the other processes of the job, where there are any, and leave when the work is done.

    Raises:
        InputError: the environment says something impossible.
        TrainingError: the others cannot be reached, or one of them was lost.
    """
    place = place_of(os.environ)
    if place is None:
        yield
        return
    _join(place)
    try:
        yield
    except SurefootError as error:
        if is_first():
            raise
        raise type(error)(f"process {place.number}: {error}") from None
    except Exception as error:
        if not _tells_of_loss(error):
            sys.excepthook(*sys.exc_info())
            end(1)
        raise TrainingError(
            f"process {place.number} of {place.count}: another process was lost, and the job ends; "
            "what is on disk is good: `surefoot resume RUN`, or the same study again, goes on with "
            "any number of processes"
        ) from None
    import jax

    jax.distributed.shutdown()


def end(code: int) -> None:
    """End at once where others may wait: JAX would wait for them too, who may be lost."""
    if code and several():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _join(place: Place) -> None:
    """Connect to the coordinator, and to all others."""
    import jax

    seconds = _seconds()
    if place.coordinator is not None:
        _reach(place, place.coordinator, seconds)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    _keep_stdout()
    # JAX would end this process by a signal, with a stack of its own.
    waiting = threading.Timer(seconds, _give_up, [place, seconds])
    waiting.daemon = True
    waiting.start()
    seconds += 60
    try:
        if place.coordinator is None:
            jax.distributed.initialize(
                initialization_timeout=seconds, heartbeat_timeout_seconds=_SILENT_SECONDS
            )
        else:
            jax.distributed.initialize(
                place.coordinator,
                place.count,
                place.number,
                initialization_timeout=seconds,
                heartbeat_timeout_seconds=_SILENT_SECONDS,
                cluster_detection_method="deactivate",
            )
        from jax.experimental import multihost_utils

        # So that all are connected: who is lost later is noticed at once.
        multihost_utils.sync_global_devices("surefoot")
        waiting.cancel()
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise TrainingError(
            f"process {place.number} of {place.count} cannot join the others: "
            f"{reason[0][:200] if reason else type(error).__name__}"
        ) from None


def _give_up(place: Place, seconds: int) -> None:
    """End with one line, since not all processes came."""
    where = f" at {place.coordinator}" if place.coordinator else ""
    print(
        f"surefoot: process {place.number} of {place.count}: not all have met{where} within "
        f"{seconds} s; see that all are started, and may connect to each other",
        file=sys.stderr,
        flush=True,
    )
    os._exit(1)


def _keep_stdout() -> None:
    """Drop what libraries print, as Gloo does of its peers: standard output is for results."""
    sys.stdout.flush()
    results = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    sys.stdout = results


def _reach(place: Place, coordinator: str, seconds: int) -> None:
    """Wait until the coordinator listens; the first process sees that it can."""
    host, _, port = coordinator.rpartition(":")
    if place.number == 0:
        try:
            with socket.socket() as listening:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind(("", int(port)))
        except OSError as error:
            raise InputError(
                f"{COORDINATOR} = {coordinator!r}: the first process cannot listen there: "
                f"{error.strerror}; choose another port"
            ) from None
        return
    last = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > last:
                raise TrainingError(
                    f"process {place.number} of {place.count}: no answer at {coordinator} within "
                    f"{seconds} s ({error.strerror or error}); see that the first process runs and "
                    f"that {COORDINATOR} is its address"
                ) from None
            time.sleep(0.2)


def _seconds() -> int:
    seconds = _whole(os.environ, (_WAIT,), "") if _WAIT in os.environ else _WAIT_SECONDS
    if not 1 <= seconds <= 86_400:
        raise InputError(f"{_WAIT} = {seconds}: must be from 1 to 86,400 seconds")
    return seconds


def _tells_of_loss(error: Exception) -> bool:
    """Return whether XLA says that it could not hear from another process."""
    text = str(error)
    return any(word in text for word in ("Gloo", "NCCL", "UNAVAILABLE", "DEADLINE_EXCEEDED"))
