"""What is true: tables, rules, actions, facts and kernels. Knows nothing of GraphQL, HTTP or job queues."""
