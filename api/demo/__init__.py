"""The demo company that `waarborg up` shows, and the traffic in it."""
