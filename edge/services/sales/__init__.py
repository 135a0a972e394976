"""Services of the catalogue: what is offered, asked for, answered, and paid of an answer."""
