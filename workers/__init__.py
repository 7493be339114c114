"""Background work: numbering of facts, jobs that follow from facts, periodic work, outgoing messages and webhooks."""
