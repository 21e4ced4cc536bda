"""The command ``musicae``: every command is a name in the registry, imported when it is asked for."""

from __future__ import annotations

import atexit
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from musicae import registry
from musicae.cli.shared.terminal import say
from musicae.errors import MusicaeError, did_you_mean

__all__ = ["main", "run"]


class Commands(click.Group):
    """The commands of the registry, with one line for each error that the user can fix."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, without importing a command."""
        return registry.names("commands")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in registry.names("commands"):
            return None
        found = registry.lookup("commands", cmd_name)
        if not isinstance(found, click.Command):
            owner = registry.owner("commands", cmd_name)
            raise MusicaeError(f"the command '{cmd_name}' of {owner} is not a click.Command; tell its authors")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names, or suggest the one that was meant."""
        names = registry.names("commands")
        if args[0] not in names and not args[0].startswith("-"):
            raise click.UsageError(f"no command named '{args[0]}'{did_you_mean(args[0], names)}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands, without importing one, and of options."""
        found = [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List our own commands with what they do, and those of other packages by their owner only.

        So that help never imports another package.
        """
        rows = []
        for name in self.list_commands(ctx):
            owner = registry.owner("commands", name)
            command = self.get_command(ctx, name) if owner == "musicae" else None
            rows.append((name, command.get_short_help_str(90) if command else f"(from the package {owner})"))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> NoReturn:
        """Run a command and leave with its exit code: 0, 1 for what the user can fix, 2 for wrong usage."""
        if args is None:
            # SIGTERM must clean up as an error does; only a process of our own may decide that.
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="surrogateescape")  # A file's name need not be valid text.
                if os.name == "nt" and not sys.stdout.isatty():
                    sys.stdout.reconfigure(encoding="utf-8")  # The code page of a pipe there has few characters.
        settings |= {"standalone_mode": False}
        settings.setdefault("prog_name", "musicae")
        try:
            code = super().main(args, *rest, **settings)
            sys.stdout.flush()
        except MusicaeError as error:
            say(f"musicae: {' '.join(str(error).splitlines())}")
            code = 1
        except click.ClickException as error:
            shown = io.StringIO()
            error.show(shown)
            for line in shown.getvalue().rstrip("\n").split("\n"):
                say(line)
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = 130
        except BrokenPipeError:
            # Nobody reads stdout any more; the interpreter must not flush it again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        except OSError as error:
            if error.errno is None:
                raise
            full = error.errno == errno.ENOSPC
            what = f"{error.filename or 'stdout'} cannot be written" if full else error.filename or "a file"
            say(f"musicae: {what}: {error.strerror}")
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


@click.command(
    "musicae", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="musicae", prog_name="musicae", message="%(prog)s %(version)s")
def main() -> None:
    """Turn one piece of music or picture into another, vary it, restore it, or make it up.

    Paths and JSON go to stdout, everything else to stderr. `musicae COMMAND --help` says more.
    """


def run() -> NoReturn:
    """Run the command, and end the process with it.

    Unless there are threads to wait for, the interpreter is not torn down: with torch that takes most of a second.
    """
    try:
        main()
    except SystemExit as end:
        if any(not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()):
            raise
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    sys.exit()
