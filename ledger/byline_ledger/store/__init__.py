"""Everything of the ledger that touches a disk (docs/adr/0006-store-layout.md)."""
