"""What came out of the catalogue, as a key by itself: every page asks, and comparing it whole would take too long."""

from typing import Generic, TypeVar

T = TypeVar("T")


class ObjectKey(Generic[T]):
    """Equal to nothing but what holds the very same object, which lives as long as it is a key."""

    __slots__ = ("one",)

    def __init__(self, one: T) -> None:
        self.one = one

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectKey) and other.one is self.one

    def __hash__(self) -> int:
        return id(self.one)
