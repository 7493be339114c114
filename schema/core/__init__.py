"""The machinery of the schema: types from rows, mutations, lists, ids, scalars, loaders and access."""
