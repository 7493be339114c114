"""Choose the method: the encoder where its package and a head for it are there, else the plain one."""

from functools import cache

from domain.sentiment.e5 import DIMENSIONS, FILE, E5Model, encoder_name
from domain.sentiment.heads import UnusableHeadError, shipped
from domain.sentiment.plain import PlainModel
from domain.sentiment.port import PolarityModel


@cache
def best_model() -> PolarityModel:
    """Return the best method that is installed, the same one on every call."""
    encoder = encoder_name()
    if encoder is None:
        return PlainModel()
    try:
        return E5Model(shipped(FILE, encoder=encoder, dim=DIMENSIONS))
    except UnusableHeadError:  # of another version of the encoder
        return PlainModel()
