"""The paper venue as an execution module: what a session asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from workbench.adapters.paper.connection import PATIENCE, PaperConnection
from workbench.errors import OrderRejected, VenueError
from workbench.execution.calls import Calls
from workbench.execution.port import EVERYTHING, ExecutionModule, VenueEvent, VenueState
from workbench.execution.wire import fill_from, order_from, order_plain
from workbench.instrument import Instrument
from workbench.market import Account, Fill, Order, OrderKey

__all__ = ["PaperAccount"]

#: Seconds within which a query is made again; the run's own loop asks once more after that.
AGAIN = 0.5


class PaperAccount(ExecutionModule):
    """An account at the paper venue.

    An order whose answer did not come stays in doubt: the venue is asked for it after the next connection, and it is
    never simply sent again.

    Parameters
    ----------
    connection : PaperConnection
    """

    def __init__(self, connection: PaperConnection) -> None:
        self._connection = connection
        self._calls = Calls(patience=PATIENCE, in_all=AGAIN)
        self._supports: frozenset[str] | None = None
        self.currency = ""
        self.instruments: dict[str, Instrument] = {}

    @property
    def supports(self) -> frozenset[str]:  # type: ignore[override]
        """What the venue takes, asked once; a process of an earlier workbench, which does not know the question, takes all."""
        if self._supports is None:
            try:
                self._supports = frozenset(self._read("supports"))
            except OrderRejected as error:
                if "unknown verb" not in str(error):
                    raise
                self._supports = EVERYTHING
        return self._supports

    def connect(self, instruments: Sequence[Instrument]) -> None:
        """Know the instruments."""
        self.instruments = {i.symbol: i for i in instruments}

    def submit(self, order: Order) -> bool:
        """Hand an order over; False where no answer came, so that it is in doubt."""
        try:
            self._send("submit", order=order_plain(order))
        except VenueError:
            return False
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Ask for an order to be taken off; True where the venue confirmed it."""
        try:
            return bool(self._send("cancel", key=asdict(key))["off"])
        except VenueError:
            return False

    def amend(self, key: OrderKey, price: float) -> bool:
        """Ask for a resting order to work at another price; False where no answer came, or there is none."""
        try:
            return bool(self._send("amend", key=asdict(key), price=price)["amended"])
        except VenueError:
            return False

    def events(self) -> list[VenueEvent]:
        """Nothing: events are pushed, under their numbers."""
        return []

    def knows(self, key: OrderKey) -> bool:
        """Whether the venue ever took an order of this key."""
        return bool(self._read("order", key=asdict(key))["known"])

    def state(self) -> VenueState:
        """Return positions, open orders and account as they are together."""
        said = self._read("state")
        orders = [order_from(plain, self.instruments) for plain in said["orders"]]
        return VenueState(said["number"], said["positions"], orders, Account(**said["account"]))

    def open_orders(self) -> list[Order]:
        """Return what works at the venue."""
        return self.state().orders

    def executions(self, since: int = 0) -> list[Fill]:
        """Return the fills of labels from `since` on."""
        return [fill_from(plain, self.instruments) for plain in self._read("executions", since=since)]

    def positions(self) -> dict[str, float]:
        """Return the signed quantities held, by symbol."""
        return self.state().positions

    def account(self) -> Account:
        """Return cash, equity and margin."""
        return self.state().account

    def _read(self, do: str, **more: Any) -> Any:
        """Ask what changes nothing; a failed query raises."""
        return self._calls.read(lambda patience: self._connection.ask(do, patience, **more))

    def _send(self, do: str, **more: Any) -> Any:
        """Ask what changes something, once."""
        return self._calls.send(lambda patience: self._connection.ask(do, patience, **more))
