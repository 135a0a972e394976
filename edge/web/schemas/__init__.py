"""What the API takes and gives. Public: members are added, never renamed."""
