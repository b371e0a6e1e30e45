"""Which of the bodies that implement a kind the window is offered first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from clerk_app.desk.ports import BodyChoice, SearchContext

SHORTEST_CODE = 19
"""An item's code names its body by the first 18 characters; what is shorter proposes none."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The bodies of one kind in the order of level and region, with the first of each place and region."""

    choices: tuple[BodyChoice, ...]
    at_place: Mapping[int, int]
    in_region: Mapping[str, int]

    @classmethod
    def of(cls, bodies: Iterable[tuple[BodyChoice, int]]) -> Self:
        """From the bodies with their places (as the search numbers them)."""
        listed = tuple(bodies)
        at_place: dict[int, int] = {}
        in_region: dict[str, int] = {}
        for index, (body, place) in enumerate(listed):
            at_place.setdefault(place, index)
            in_region.setdefault(body.region, index)
        return cls(tuple(body for body, _ in listed), at_place, in_region)

    def proposed_first(
        self, code: str, places: frozenset[int], context: SearchContext
    ) -> tuple[BodyChoice, ...]:
        """All bodies, the proposed one in front: the one whose code or name was typed, else the window's own
        region's, else the applicant's, else the window's city's, else the first."""
        index = self._proposed(code, places, context)
        return (self.choices[index],) + self.choices[:index] + self.choices[index + 1 :]  # noqa: RUF005 - hot

    def _proposed(self, code: str, places: frozenset[int], context: SearchContext) -> int:
        if len(code) >= SHORTEST_CODE:
            for index, body in enumerate(self.choices):
                if body.item_code.startswith(code):
                    return index
        named = [self.at_place[place] for place in places if place in self.at_place] if places else []
        if named:
            near = [index for index in named if self.choices[index].region == context.region]
            return min(near or named)
        city = context.region[:4] + "00"
        for region in (context.region, context.applicant_region[:6], city):
            if region in self.in_region:
                return self.in_region[region]
        return 0
