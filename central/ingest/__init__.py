"""What central does with what boxes send: verify, store, cosign, post; never reject a well-signed entry."""
