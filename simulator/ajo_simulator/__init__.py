"""A stand-in for Journey Optimizer over real HTTP(S), with scripted faults and a journal of every call received."""

from ajo_simulator.server import Simulator

__all__ = ["Simulator"]
