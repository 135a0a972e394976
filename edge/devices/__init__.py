"""Card terminals and receipt printers: drivers, and virtual ones for training and demo."""
