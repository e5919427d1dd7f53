"""The in-memory twin of a switch, and the world of far ends around it."""

from pbx.memory.far import MemoryCall, MemoryPhone
from pbx.memory.switch import MemorySwitch
from pbx.memory.world import MemoryWorld

__all__ = ["MemoryCall", "MemoryPhone", "MemorySwitch", "MemoryWorld"]
