"""Choose the method: the encoder where its package and a head for it are there, else the plain one."""

from functools import cache

from domain.sentiment.e5 import DIMENSIONS, FILE, E5Model, encoder_name
from domain.sentiment.heads import UnusableHeadError, shipped
from domain.sentiment.plain import PlainModel
from domain.sentiment.port import PolarityModel


@cache
def best_model(*, plain: bool = False) -> PolarityModel:
    """Return the best method that is installed, or the plain one, the same object on every call."""
    encoder = None if plain else encoder_name()
    if encoder is None:
        return PlainModel()
    try:
        return E5Model(shipped(FILE, encoder=encoder, dim=DIMENSIONS))
    except UnusableHeadError:  # of another version of the encoder
        return PlainModel()
