"""Card terminals: protocol codecs and sessions without I/O, and the driver that owns a connection."""
