"""The box: counter pages and API, card terminal, receipt printer, signed journal."""
