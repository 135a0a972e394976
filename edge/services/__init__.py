"""Use cases of the box, one a file. Rules live in `shared`; effects come through ports that `edge.app` joins."""
