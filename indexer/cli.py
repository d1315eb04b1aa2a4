"""The `codewhere` command: the subcommands and their options. What they do is in `indexer.commands`.

Nothing heavy is imported here, so that `codewhere --help` and shell completion answer at once.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from indexer.errors import UserError

_STOPPED = 130  # what a shell expects of a command ended by Ctrl-C


class _Group(TyperGroup):
    """Turns errors into one line on stderr and an exit status, for every subcommand alike."""

    # The class of the context is private to typer, so it cannot be named here.
    def invoke(self, ctx: object) -> object:
        """Run the subcommand."""
        try:
            return super().invoke(cast("Any", ctx))
        except UserError as error:
            _fail(str(error), 2)
        except BrokenPipeError:
            from indexer.render import forget_stdout

            forget_stdout()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(_STOPPED) from None
        except OSError as error:
            if os.environ.get("CODEWHERE_DEBUG"):
                raise
            _fail(f"{error}. Nothing was lost; set it right and run the command again.", 1)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            # Usage errors have their own display in typer.
            if os.environ.get("CODEWHERE_DEBUG") or hasattr(error, "exit_code"):
                raise
            _fail(f"internal error: {type(error).__name__}: {error}. CODEWHERE_DEBUG=1 shows where.", 1)


def _fail(message: str, status: int) -> NoReturn:
    from indexer.render import say

    say(f"codewhere: {message}", "bold red")
    raise typer.Exit(status)


app = typer.Typer(
    cls=_Group,
    name="codewhere",
    help="Ask a question in plain words, get the functions that answer it. Everything stays on this machine.",
    epilog="Exit status: 0 done (also when nothing was found), 1 failed, 2 wrong use, 130 stopped by Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_models = typer.Typer(help="List the embedding models, or export one for sentence-transformers.")
app.add_typer(_models, name="models")

_Folder = Annotated[Path, typer.Argument(metavar="[PATH]", help="A folder; the current one by default.")]
_Place = Annotated[
    Path, typer.Argument(metavar="[PATH]", help="An indexed folder, or a folder or file inside one.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, max=10_000, help="Number of results; 10 unless set otherwise."),
]
_Model = Annotated[str | None, typer.Option(help="A shipped model, a model folder or a hub id.")]
_Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; the best one by default.")]
_Dim = Annotated[int | None, typer.Option(min=1, help="Cut vectors to this many dimensions.")]
_Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads of the embedder.")]
_StoreAt = Annotated[str | None, typer.Option("--store", help="A remote vector store; not in this version.")]
_Lang = Annotated[list[str] | None, typer.Option("--lang", "-l", help="Only this language (repeatable).")]
_Kind = Annotated[
    list[str] | None, typer.Option("--kind", "-k", help="Only this kind: function, method, class, ...")
]
_Path = Annotated[list[str] | None, typer.Option("--path", "-p", help="Only paths that match this glob.")]
_Exclude = Annotated[list[str] | None, typer.Option("--exclude", "-x", help="No paths that match this glob.")]
_NoTests = Annotated[bool, typer.Option("--no-tests", help="Leave out tests.")]
_Changed = Annotated[bool, typer.Option("--changed", help="Only files that differ from the last git commit.")]
_Explain = Annotated[bool, typer.Option("--explain", help="Show the score and what it is made of.")]
_Words = Annotated[bool, typer.Option("--words", help="Search by words alone, without the model.")]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Name every skipped file.")]
_LEAVES_OUT = re.compile(r"-(symbol|path|lang|kind):|-tests?(\s|$)")
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _kept_whole(argument: str) -> str:
    """A query that begins with what it leaves out, behind a space, or it would be taken for short options."""
    return f" {argument}" if _LEAVES_OUT.match(argument) else argument


def main() -> None:
    """Entry point of the console script."""
    from indexer.render import tolerate_any_encoding

    tolerate_any_encoding()
    app([_kept_whole(argument) for argument in sys.argv[1:]])


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"codewhere {version('codewhere')}\n")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def index(
    path: _Folder = Path(),
    model: _Model = None,
    device: _Device = None,
    dim: _Dim = None,
    threads: _Threads = None,
    store: _StoreAt = None,
    words: Annotated[bool, typer.Option("--words", help="Index words only; embed nothing.")] = False,
    verbose: _Verbose = False,
    as_json: _Json = False,
) -> None:
    """Index a folder, or bring its index up to date. Stopping it loses nothing; run it again to go on."""
    from indexer.commands.index import run

    flags = {"model": model, "device": device, "dim": dim, "threads": threads, "store": store}
    raise typer.Exit(run(path, flags, embed=not words, verbose=verbose, as_json=as_json))


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="The question. With --queries, the PATH goes here.")] = "",
    path: _Place = Path(),
    limit: _Limit = None,
    queries: Annotated[
        Path | None,
        typer.Option(help="A file with one query a line; - reads standard input.", allow_dash=True),
    ] = None,
    lang: _Lang = None,
    kind: _Kind = None,
    paths: _Path = None,
    exclude: _Exclude = None,
    no_tests: _NoTests = False,
    changed: _Changed = False,
    explain: _Explain = False,
    words: _Words = False,
    model: _Model = None,
    device: _Device = None,
    dim: _Dim = None,
    store: _StoreAt = None,
    as_json: _Json = False,
) -> None:
    """Find the functions that answer a question."""
    _compute_on_one_thread()
    from indexer.commands.search import Options, search

    flags = {"model": model, "device": device, "dim": dim, "store": store, "limit": limit}
    options = Options(lang, kind, paths, exclude, no_tests, changed, explain, words, as_json, flags)
    search(query, path, queries, options)


@app.command()
def similar(
    place: Annotated[
        str, typer.Argument(metavar="FILE:LINE", help="A line of the function to compare with.")
    ],
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="Where to look; the indexed folder of FILE by default."),
    ] = None,
    limit: _Limit = None,
    lang: _Lang = None,
    kind: _Kind = None,
    paths: _Path = None,
    exclude: _Exclude = None,
    no_tests: _NoTests = False,
    changed: _Changed = False,
    explain: _Explain = False,
    model: _Model = None,
    device: _Device = None,
    dim: _Dim = None,
    store: _StoreAt = None,
    as_json: _Json = False,
) -> None:
    """Find the functions nearest to the one at a line."""
    _compute_on_one_thread()
    from indexer.commands.search import Options, similar

    flags = {"model": model, "device": device, "dim": dim, "store": store, "limit": limit}
    options = Options(lang, kind, paths, exclude, no_tests, changed, explain, False, as_json, flags)
    similar(place, path, options)


def _compute_on_one_thread() -> None:
    # NumPy's threads take longer to start than one query takes without them, on a busy machine ten times so.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@app.command()
def watch(
    path: _Folder = Path(),
    model: _Model = None,
    device: _Device = None,
    dim: _Dim = None,
    threads: _Threads = None,
    store: _StoreAt = None,
    scan_every: Annotated[
        float | None, typer.Option(min=0.1, help="Look at the whole folder every so many seconds instead.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Keep the index of a folder up to date while files change, one line an update."""
    from indexer.commands.watch import run

    flags = {"model": model, "device": device, "dim": dim, "threads": threads, "store": store}
    raise typer.Exit(run(path, flags, scan_every=scan_every, as_json=as_json))


@app.command()
def status(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="One folder; all by default.")] = None,
    as_json: _Json = False,
) -> None:
    """Show what is indexed, with which model, and the disk space it takes."""
    from indexer.commands.store import status

    status(path, as_json)


@app.command()
def doctor(
    path: _Folder = Path(),
    repair: Annotated[bool, typer.Option("--repair", help="Set right what can be set right.")] = False,
    model: _Model = None,
    device: _Device = None,
    as_json: _Json = False,
) -> None:
    """Check the store, the model, the device and the limits of the system, and say what to do."""
    from indexer.commands.store import doctor

    raise typer.Exit(doctor(path, {"model": model, "device": device}, repair=repair, as_json=as_json))


@app.command()
def gc(
    grace_days: Annotated[
        float, typer.Option(min=0, help="Keep what was used within this many days.")
    ] = 14.0,
    forget: Annotated[Path | None, typer.Option(help="Also forget the index of this folder.")] = None,
    as_json: _Json = False,
) -> None:
    """Free the space of vectors that no indexed folder uses any more."""
    from indexer.commands.store import collect

    collect(grace_days, forget, as_json)


@_models.callback(invoke_without_command=True)
def models(ctx: typer.Context, as_json: _Json = False) -> None:
    """List the embedding models, or export one for sentence-transformers."""
    if ctx.invoked_subcommand is None:
        from indexer.commands.models import list_models

        list_models(as_json)


@_models.command("export")
def export_model(
    name: Annotated[str, typer.Argument(help="A shipped model, or the folder of one.")],
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Write a model as a sentence-transformers folder that gives the same vectors."""
    from indexer.commands.models import export_model

    export_model(name, folder)


@app.command(context_settings=_PASS_ON)
def lsp(ctx: typer.Context) -> None:
    """Start the language server; editors do this. Its own options: codewhere lsp --help."""
    _hand_over("lsp", ctx)


@app.command()
def mine(
    folders: Annotated[list[Path], typer.Argument(help="Repositories or packages, one folder each.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="JSON lines; compressed if it ends in .zst.")],
    licence: Annotated[str | None, typer.Option(help="SPDX name for folders that do not say theirs.")] = None,
    exclude: Annotated[Path | None, typer.Option(help="A list of code never to train on.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    per_repository: Annotated[int | None, typer.Option(min=1, help="At most so many pairs of one.")] = None,
    as_json: _Json = False,
) -> None:
    """Collect pairs of doc comment and function to train on, from folders under a permissive licence."""
    from indexer.commands.training import mine

    mine(
        folders,
        out,
        licence=licence,
        exclude=exclude,
        processes=processes,
        per_repository=per_repository,
        as_json=as_json,
    )


@app.command()
def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the finished model.")],
    work: Annotated[Path, typer.Option(help="Folder for checkpoints; a stopped run goes on from it.")],
    recipe: Annotated[Path | None, typer.Argument(help="A TOML file that describes the training.")] = None,
    own: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Adapt a model to this repository, in place of a recipe. Repeatable."),
    ] = None,
    model: Annotated[str, typer.Option(help="The model that --from adapts.")] = "small",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of --from; by default by its size.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
) -> None:
    """Make an embedding model from a decoder by a recipe, or adapt one to your own code (--from)."""
    from indexer.commands.training import adapt, train

    if (recipe is None) == (own is None):
        raise UserError("Name either a recipe or, with --from, repositories to adapt a model to.")
    if own is not None:
        raise typer.Exit(adapt(own, model, work, out, steps, device))
    assert recipe is not None
    raise typer.Exit(train(recipe, work, out, device))


@app.command(context_settings=_PASS_ON)
def evaluate(ctx: typer.Context) -> None:
    """Measure how well embedding models answer. Options: codewhere evaluate --help."""
    _hand_over("evaluate", ctx)


@app.command()
def bench(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A folder; codewhere's own source by default.")
    ] = None,
    model: _Model = None,
    device: _Device = None,
    dim: _Dim = None,
    threads: _Threads = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            help="A model for sentence-transformers to compare with; `same` is the same weights there. Repeatable."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the figures to this JSON file.")] = None,
    as_json: _Json = False,
) -> None:
    """Measure the speed of every stage on this machine, in a store of its own that is removed afterwards."""
    from indexer.commands.bench import bench

    flags = {"model": model, "device": device, "dim": dim, "threads": threads}
    bench(path, flags, beside=beside or [], output=output, as_json=as_json)


def _hand_over(name: str, ctx: typer.Context) -> NoReturn:
    from indexer.commands.tools import run

    raise typer.Exit(run(name, ctx.args))
