"""What a verb is: a name, its arguments as a frozen dataclass, and the function that does it."""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mothership.commands.columns import Column, column
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.model import Role
from mothership.output import Output

A = TypeVar("A")


@dataclass(frozen=True)
class Verb(Generic[A]):
    """One row of the command table. `rest` hands everything after the app to the verb unparsed (for `run`).

    `role` is the least that a caller must have in the app the verb is about; `admin` verbs are about the server and
    for its admins; `reads` says that the verb changes nothing. `columns` are the keys of its JSON with their types
    (`mothership.commands.columns`), in this order for ever: of each row of a list, or with `single` of the one object
    that it is. `uploads` says that it reads an archive from standard input, which over HTTP is the body.
    """

    name: str
    summary: str
    arguments: type[A]
    perform: Callable[[House, Session, A], Awaitable[int | None]]
    examples: tuple[str, ...] = ()
    rest: bool = False
    role: Role = Role.OPERATOR
    admin: bool = False
    reads: bool = False
    columns: tuple[str, ...] = ()
    single: bool = False
    uploads: bool = False

    @property
    def app(self) -> bool:
        """Whether the verb is about one app, named first or by `--app`."""
        return any(field.name == "app" for field in dataclasses.fields(self.arguments))  # type: ignore[arg-type]

    @property
    def row(self) -> tuple[Column, ...]:
        """The columns, read."""
        return tuple(map(column, self.columns))


def positional(
    metavar: str,
    *,
    many: bool = False,
    default: Any = dataclasses.MISSING,
    shown: Callable[[str], str] | None = None,
) -> Any:
    """A positional argument; `many` takes all that are left, at least one unless a default is given.

    `shown` says what of a word may stand in the audit trail, when it may hold a secret.
    """
    return dataclasses.field(default=default, metadata={"metavar": metavar, "many": many, "shown": shown})


def key_only(pair: str) -> str:
    """`KEY=VALUE` without the value."""
    return pair.partition("=")[0] + "=…"


def hidden(word: str) -> str:
    """Nothing of a word but that there was one."""
    return "…"


def recorded(args: Any) -> str:
    """A verb's arguments for the audit trail: what differs from its default, without secrets and the app."""
    words = []
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        if field.name in ("app", "json") or value == field.default:
            continue
        shown = field.metadata.get("shown") or str
        name = next((flag for flag in field.metadata.get("flags", ()) if flag.startswith("--")), "")
        if isinstance(value, bool):
            words.append(name)
        else:
            words += ([name] if name else []) + [
                shown(word) for word in (value if isinstance(value, tuple) else [value])
            ]
    return " ".join(words)


def option(*flags: str, default: Any, help: str, kind: Any = None, shown: Callable[[str], str] | None = None) -> Any:
    """An option; a boolean default makes it a flag, a tuple one that may come several times. `shown` as above."""
    return dataclasses.field(default=default, metadata={"flags": flags, "help": help, "kind": kind, "shown": shown})


def json_option() -> Any:
    return option("--json", default=False, help="Print JSON.")


@dataclass(frozen=True)
class AppOnly:
    """Arguments of a verb that needs no more than the app."""

    app: str


@dataclass(frozen=True)
class Listing:
    """Arguments of a listing that is about no app."""

    json: bool = json_option()


@dataclass(frozen=True)
class AppListing:
    """Arguments of a listing about one app."""

    app: str
    json: bool = json_option()


def bounded(number: int, *, least: int = 1, most: int = 1_000_000) -> int:
    """A number of rows that was asked for, within reason (SQLite takes 64 bits, a caller may send more)."""
    return max(least, min(number, most))


def say(caller: Session, text: str = "") -> None:
    """Print a line to the caller; a terminal in raw mode, as ssh -t makes it, needs the carriage return too."""
    caller.write(ended(text, caller))


def ended(text: str, caller: Session) -> bytes:
    """The text with the line ends that the caller's terminal, or the lack of one, asks for."""
    end = "\r\n" if caller.terminal else "\n"
    return (text.replace("\n", end) + end).encode()


def output(caller: Session, *, as_json: bool = False) -> Output:
    """Lines of a recipe, printed to the caller as they come; beside JSON they go to standard error."""
    if as_json:
        return Output(lambda line: caller.write_error(ended(line, caller)))
    return Output(lambda line: say(caller, line))


def moment(at: str) -> str | None:
    """A stored time (ISO 8601, UTC) to the second as RFC 3339 has it, None for none."""
    return at[:19] + "Z" if at else None


def record(caller: Session, facts: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    say(caller, json.dumps(facts))


def table(caller: Session, rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as aligned columns, or as a JSON array whose keys are the columns."""
    if as_json:
        say(caller, json.dumps([dict(row) for row in rows], separators=(",\n ", ": ")))  # indent= is many times slower
        return
    if not rows:
        say(caller, empty)
        return
    names = list(rows[0])
    lines = [[name.upper() for name in names]] + [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    for line in lines:
        say(caller, "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
