"""`gantk completion`: what a shell must know to complete our commands and options."""

from __future__ import annotations

import click

from gan_toolkit.cli.text import echo

SHELLS = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/gantk.fish",
    "powershell": "$PROFILE",
}


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what SHELL must run to complete gantk's commands.

    Try it:  eval "$(gantk completion bash)"
    """
    from click.shell_completion import get_completion_class

    from gan_toolkit.cli.root import COMPLETE
    from gan_toolkit.cli.shells import register

    register()
    found = get_completion_class(shell)
    root = context.find_root()
    if found is None:  # an older click without this shell
        raise click.UsageError(f"this version of click can't complete in {shell}", context)
    click.echo(found(root.command, {}, "gantk", COMPLETE).source())
    echo(f"to keep it: gantk completion {shell} >> {SHELLS[shell]}")
