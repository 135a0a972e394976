"""The centre: witness of the journals, ledger, providers, reconciliation."""
