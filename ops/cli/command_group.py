"""How groups of commands read their arguments and show their help."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

#: Options of every group: they ask for help or completion, so no command is meant.
_OF_THE_GROUP = ("--help", "--version", "--install-completion", "--show-completion")
#: Longer than any first sentence, so that none is cut; the formatter wraps it.
_WHOLE = 10_000


class CommandGroup(TyperGroup):
    """A group whose list of commands shows whole sentences, wrapped to the width of the terminal."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands that aren't hidden, each with the first sentence of its help."""
        rows = [(name, each.get_short_help_str(_WHOLE)) for name, each in self.commands.items() if not each.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class ListingGroup(CommandGroup):
    """A group that lists when no command is named: `eventflow jobs --json` is `eventflow jobs list --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert `list` where the arguments begin with an option of it, or where there are none."""
        if not args or (args[0].startswith("-") and args[0].partition("=")[0] not in _OF_THE_GROUP):
            args = ["list", *args]
        return super().parse_args(ctx, args)
