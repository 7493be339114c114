"""The public contract: one file a noun, thin types over rows, verbs over actions. No rules live here."""
