"""Public GraphQL contract: one file per noun, thin types over rows, mutations over actions, no business rules."""
