"""Version of the evaluator, which each verdict carries. Raised when the same facts may get another verdict."""

EVALUATOR = 2
