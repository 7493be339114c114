"""Open connections and the subscriptions that they share."""
