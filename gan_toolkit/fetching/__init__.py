"""Getting the files of a data set: only `gantk data fetch` imports this, and only when asked to.

Nothing else of the toolkit opens a connection. What is got is what a plugin lists in a `Source`;
every file is compared with what is known of it before it bears its name.
"""

from __future__ import annotations

from gan_toolkit.fetching.orders import Fetched, Order, Way, order

__all__ = ["Fetched", "Order", "Way", "order"]
