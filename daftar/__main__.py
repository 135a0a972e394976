"""`daftar`: the one command line. Each group is loaded when it is asked for: a box has no central installed."""

import importlib
from typing import Final

import click

_GROUPS: Final = {
    "edge": ("daftar.cli_edge", "The office's box: serve, enrol, operators, export."),
    "central": ("daftar.cli_central", "Central: serve, offices, people, keys, the sandbox provider."),
    "journal": ("daftar.cli_journal", "Exported journals: verify one with nothing but public keys."),
    "profile": ("daftar.cli_profile", "Models of terminals and printers: check, simulate, find."),
    "printer": ("daftar.cli_printer", "A receipt printer: ask it, print the test page, open the drawer."),
    "lab": ("daftar.cli_lab", "Proof: power cuts, disks that lie, mutants that must be caught."),
    "demo": ("daftar.cli_demo", "Everything on this machine, with virtual devices."),
    "bench": ("daftar.cli_bench", "Our own cost against the bare bound, in one run."),
}


class _Groups(click.Group):
    """Finds a group of commands by its name and loads its module then."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _GROUPS:
            return None
        module, _ = _GROUPS[cmd_name]
        try:
            command = getattr(importlib.import_module(module), cmd_name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`daftar {cmd_name}` is not installed here: {error.name} is missing."
            ) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _GROUPS.items()])


@click.group(cls=_Groups, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="daftar")
def main() -> None:
    """Daftar: the office's box, central, journal tools and demo."""


if __name__ == "__main__":
    main()
