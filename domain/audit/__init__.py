"""The audit trail's proofs."""
