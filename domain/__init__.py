"""The business layer: tables, rules, actions, facts and numeric kernels. Imports no GraphQL, HTTP or job queue code."""
