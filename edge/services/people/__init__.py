"""Who works here, who is at a page, who may do what."""
