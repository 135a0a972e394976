"""Whose certificates the box believes on its line."""

import functools
import ssl

import httpx


@functools.cache
def trusted() -> ssl.SSLContext:
    """Return them as the clients of the line take them; read once: a small box is busy with it for a moment."""
    return httpx.create_ssl_context(trust_env=False)
