"""Papers of the counter, and the spool that prints them."""
