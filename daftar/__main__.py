"""`daftar`: the one command line."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="daftar")
def main() -> None:
    """Daftar: office box, central, journal tools and demo."""


if __name__ == "__main__":
    main()
