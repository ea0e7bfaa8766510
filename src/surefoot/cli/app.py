"""The command `surefoot`, and how every command ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import typer

from surefoot.cli.averages import averages
from surefoot.cli.backprop import backprop
from surefoot.cli.compare import compare
from surefoot.cli.data import data
from surefoot.cli.datasets import datasets
from surefoot.cli.diagnose import diagnose
from surefoot.cli.ensemble import ensemble
from surefoot.cli.explain import explain
from surefoot.cli.export import export
from surefoot.cli.find_rate import find_rate
from surefoot.cli.gradcheck import gradcheck
from surefoot.cli.landscape import landscape
from surefoot.cli.predict import predict
from surefoot.cli.race import race
from surefoot.cli.repair import repair
from surefoot.cli.report import report
from surefoot.cli.resume import resume
from surefoot.cli.saliency import saliency
from surefoot.cli.serve import serve
from surefoot.cli.study import study
from surefoot.cli.train import train
from surefoot.errors import SurefootError
from surefoot.processes import end

_NO_MEMORY = "there is not enough memory; try a smaller batch, net or data set"

app = typer.Typer(
    name="surefoot",
    help="Trains neural networks, and records what happens in every layer.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train)
app.command()(resume)
app.command()(predict)
app.command()(datasets)
app.command()(data)
app.command()(diagnose)
app.command()(repair)
app.command()(study)
app.command()(ensemble)
app.command("find-rate")(find_rate)
app.command()(landscape)
app.command()(race)
app.command()(averages)
app.command()(compare)
app.command()(gradcheck)
app.command()(backprop)
app.command()(saliency)
app.command()(explain)
app.command()(report)
app.command()(serve)
app.command()(export)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit with 0 when done, 1 when the work failed, 2 on bad input."""
    _keep_compiled_programs()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        status = app(args=given or ["--help"], prog_name="surefoot", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except typer.Abort:
        _say("interrupted")
        sys.exit(130)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "surefoot"
        _say(f"{' '.join(error.format_message().split())} (see `{command} --help`)")
        sys.exit(2)
    except SurefootError as error:
        _say(str(error))
        end(error.exit_code)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say("interrupted")
        end(130)
        sys.exit(130)
    except MemoryError:
        _say(_NO_MEMORY)
        sys.exit(1)
    except RuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):  # what JAX calls it
            raise
        _say(_NO_MEMORY)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _say(message: str) -> None:
    line = " ".join(message.splitlines())  # a name that was given may hold line breaks
    print(f"surefoot: {line}", file=sys.stderr)


def _keep_compiled_programs() -> None:
    """Let JAX keep compiled programs on disk: the second run of a net starts without compiling."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "surefoot" / "xla"
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
