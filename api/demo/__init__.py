"""The demo company of `waarborg up`, and its simulated traffic."""
