"""The journal format, version 1: for ever. Entries, tree, notes, checkpoints, cosignatures, and what to trust."""
