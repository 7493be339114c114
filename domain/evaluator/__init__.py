"""The evaluator: from events, promises and calendars to verdicts, windows and scores. Knows no capability."""
