"""Which nodes are added and removed: GOATScaler, as far as its pages go.

A node is added for a pod that the scheduler found no place for, where no node that is there or
coming has room for it; or where only a later unit of its ResourcePolicy has, for then the pod waits
in an earlier one. Among the pools that may grow, those of the first unit of the pod's
ResourcePolicy come first, and of these the one that is left with the least waste. A node is removed
when nothing but agents has been on it for a time. What is not simulated: nodes that are removed
though they have pods, because these would fit elsewhere.

The sandbox decides by these rules over manifests, the simulator over its own pods and nodes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, TypeVar

from .machines import LivePool, Site, Size, is_sold_out

SOLD_OUT: Final = "the cloud has no more"

PodT = TypeVar("PodT")
RoomT = TypeVar("RoomT")
NodeT = TypeVar("NodeT")


class NodeMarket(ABC, Generic[PodT, RoomT]):
    """Finds a place for pods that have none, on a new node where there is no other."""

    def __init__(
        self,
        pools: Collection[LivePool],
        rooms: Iterable[RoomT],
        sold_out: Collection[tuple[str, str]],
    ) -> None:
        """Has bought nothing yet.

        Args:
            pools: Those of the cluster.
            rooms: Its nodes, there and coming, each with what is free on it.
            sold_out: Zones and instance types that the cloud has no more of, `ANY` for all.
        """
        self.notes: dict[str, str] = {}
        """Why a pod gets no node, by its name."""
        self.rooms = list(rooms)
        self._pools = pools
        self._sold_out = sold_out

    @abstractmethod
    def name(self, pod: PodT) -> str:
        """What a note calls a pod."""

    @abstractmethod
    def requests(self, pod: PodT) -> Mapping[str, int]:
        """What a pod asks for."""

    @abstractmethod
    def fits(self, pod: PodT, room: RoomT) -> bool:
        """Whether the scheduler would put a pod there."""

    @abstractmethod
    def rank(self, pod: PodT, room: RoomT) -> int:
        """Number of the first unit of a pod's ResourcePolicy that a node belongs to."""

    @abstractmethod
    def take(self, pod: PodT, room: RoomT) -> None:
        """Puts a pod there."""

    @abstractmethod
    def count(self, pool: LivePool) -> int:
        """Nodes of a pool, there and coming."""

    @abstractmethod
    def count_in(self, pool: LivePool, zone: Site) -> int:
        """Those in a zone."""

    @abstractmethod
    def empty(self, pool: LivePool, size: Size) -> RoomT:
        """What a new node of a pool would be."""

    @abstractmethod
    def buy(self, pool: LivePool, size: Size, zone: Site) -> RoomT:
        """Buys a node."""

    def keep_least(self) -> None:
        """Brings each pool to its least."""
        for pool in self._pools:
            while self.count(pool) < pool.least and (offer := self._offer(pool, pool.sizes)):
                self.rooms.append(self.buy(pool, *offer))

    def serve(self, pod: PodT) -> bool:
        """Puts a pod where it fits, buys a node for it, or notes why not.

        Returns:
            Whether it has a place.
        """
        room = self._best_room(pod)
        rank = None if room is None else self.rank(pod, room)
        if rank != 0:
            room = self._grow(pod, rank) or room
        if room is not None:
            self.take(pod, room)
        return room is not None

    def _best_room(self, pod: PodT) -> RoomT | None:
        """A node, there or coming, that a pod fits: one of its first units."""
        best: tuple[int, RoomT] | None = None
        for room in self.rooms:
            rank = self.rank(pod, room)
            if (best is None or rank < best[0]) and self.fits(pod, room):
                best = rank, room
                if rank == 0:
                    break
        return best and best[1]

    def _grow(self, pod: PodT, rank: int | None) -> RoomT | None:
        """Buys a node for a pod, of a unit before the one that has room for it, if one has."""
        sold_out: list[str] = []
        offers: list[tuple[int, float, str, LivePool, Size, Site]] = []
        for pool in self._pools:
            if not pool.scales or self.count(pool) >= pool.most:
                continue
            sizes = [size for size in pool.sizes if self.fits(pod, self.empty(pool, size))]
            if not sizes:
                continue
            unit = self.rank(pod, self.empty(pool, sizes[0]))
            if rank is not None and unit >= rank:
                continue
            offer = self._offer(pool, sizes)
            if offer is None:
                sold_out.append(pool.name)
                continue
            waste = offer[0].waste(self.requests(pod), pool.labels)
            offers.append((unit, waste, pool.id, pool, *offer))
        if offers:
            *_, pool, size, zone = min(offers, key=lambda offer: offer[:3])
            self.rooms.append(self.buy(pool, size, zone))
            return self.rooms[-1]
        if sold_out:
            self.notes[self.name(pod)] = f"{SOLD_OUT} of pool {', '.join(sold_out)}"
        elif rank is None and any(pool.scales for pool in self._pools):
            self.notes[self.name(pod)] = "no pool that may grow has a node that it fits"
        return None

    def _offer(self, pool: LivePool, sizes: Iterable[Size]) -> tuple[Size, Site] | None:
        """The best size that is for sale, in the zone that has the fewest nodes of the pool."""
        for size in sizes:
            zones = [
                zone for zone in pool.zones if not is_sold_out(self._sold_out, zone.name, size.name)
            ]
            if zones:
                return size, min(zones, key=lambda zone: self.count_in(pool, zone))
        return None


def spare_nodes(
    pool: LivePool, newest_first: Sequence[NodeT], is_long_idle: Callable[[NodeT], bool]
) -> Iterator[NodeT]:
    """The nodes of a pool that go: those above its most, then the idle above its least."""
    surplus = max(0, len(newest_first) - pool.most)
    yield from newest_first[:surplus]
    spare = max(0, len(newest_first) - surplus - pool.least) if pool.scales else 0
    if spare:
        yield from [node for node in newest_first[surplus:] if is_long_idle(node)][:spare]
