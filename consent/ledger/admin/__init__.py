"""The admin of the ledger, a module per group of models."""
