"""How uncertain the model is: what a draw of decay, water and loads is drawn from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How uncertain the model is: log-normal, median 1, as standard deviations of the logarithm; loads source by source.

    Defaults are judgement: decay is known within a factor of two, water within 20 %, permitted loads within 30 %, and a
    diffuse load within 50 %.
    """

    decay: float = 0.35
    flow: float = 0.2
    load: float = 0.3
    diffuse: float = 0.5


DEFAULT_SPREAD = Spread()
