"""The box's side of the exchange: what carries the messages of `sync` over a line that comes and goes."""
