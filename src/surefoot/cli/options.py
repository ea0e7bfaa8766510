"""Options that several commands take, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Net = Annotated[
    str | None, typer.Option(help="mlp:128,64, convnet, resnet:20, …", show_default=False)
]
Assign = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="any key of the recipe; may be repeated"),
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="say only what is wrong")]
Picture = Annotated[
    Path | None, typer.Option(help="draw a picture: .png or .svg", show_default=False)
]
