"""The one MetaData that every area's tables join, with names for constraints so that migrations can speak of them.

Tables stand in this package, a module for each area (`fleet`, `journals`, `books`, ...). Every large table
carries `office_id` in its key: that is what a distributed PostgreSQL shards on.
"""

from sqlalchemy import MetaData

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
