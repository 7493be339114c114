"""The refusal of a file by the decoder."""


class NotAccepted(Exception):
    """Raised when a file is not accepted; the text says why, as one sentence."""
