"""What pages and the API ask of the box: Protocols that `edge.services` provides."""
