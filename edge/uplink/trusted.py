"""Whose certificates the box believes on its line.

A box without a battery starts in 1970 and hears the time from central's signed answers, over this very line; and
central's certificate may run out while nobody looks. What goes over the line signs itself, so that the dates of a
certificate protect nothing there and are not looked at. The enrolment looks at them: it has nothing but the certificate
to know central by.
"""

import functools
import ssl
from typing import Final

import httpx

_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which Python has no name."""


@functools.cache
def trusted(*, dates: bool) -> ssl.SSLContext:
    """Return them as the clients of the line take them; read once: a small box is busy with it for a moment.

    `dates`: whether a certificate that is out of date, by this machine's clock, is refused.
    """
    context = httpx.create_ssl_context(trust_env=False)
    if not dates:
        context.verify_flags |= _NO_CHECK_TIME
    return context
