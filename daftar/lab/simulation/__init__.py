"""An office's day in one process: the product's own code on virtual time, with everything round it going wrong."""
