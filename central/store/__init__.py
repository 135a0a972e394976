"""PostgreSQL: the engine, the one MetaData, migrations, and the embedded server. Knows no table of any area."""
