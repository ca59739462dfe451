"""From an image to a serving release: ship it, keep it up, and let the old one go."""

from mothership.releases.locks import AppLocks, BuildSlots
from mothership.releases.ship import Order, Shipper
from mothership.releases.upkeep import Upkeep

__all__ = ["AppLocks", "BuildSlots", "Order", "Shipper", "Upkeep"]
