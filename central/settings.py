"""What central is started with. Everything that changes while it runs is in the database."""

from pathlib import Path
from typing import Annotated

import msgspec

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one central process."""

    data: Path
    """Folder of keys and, without `database_url`, of the embedded PostgreSQL."""
    host: str = "127.0.0.1"
    port: Port = 8720
    database_url: str | None = None
    """A PostgreSQL server of one's own, as `postgresql://…`; several processes may share it."""
    provider_url: str | None = None
    """Address of one provider of all services, for example the sandbox."""
    providers_file: Path | None = None
    """Providers by name, each with its address; what stands here goes before `provider_url`. With neither, questions
    wait."""
    messages_file: Path | None = None
    """The gateway of text messages. Without it no customer is sent any."""
    jobs: bool = True
    """Whether this process works the timetable. Of several behind a balancer each may: the database hands out tasks."""

    @property
    def keys_folder(self) -> Path:
        """Return the folder of central's private keys."""
        return self.data / "keys"

    @property
    def postgres_folder(self) -> Path:
        """Return the embedded server's data folder."""
        return self.data / "postgres"
