"""The evaluator: computes verdicts, windows and scores from events, promises and calendars. Imports no capability."""
