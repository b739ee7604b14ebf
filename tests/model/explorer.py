"""Visits every state that a model can reach, breadth first, and gives the shortest way to one that breaks a property.

A model is a start and a function from a state to the steps that are possible there. States are immutable and hashable.
Two questions are answered:

- Does each property hold in every state and on every step? (`explore`)
- Does every run end well? Each state either is settled or has a step that is certain to come, and no run goes on
  for ever without the steps that are named as endless (`Exploration.endless_run`): then every run in which those stop
  reaches a settled state, whatever its order.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

EVERY_RUN_ENDS = "every run ends"

State = TypeVar("State", bound=Hashable)


class Step(NamedTuple, Generic[State]):
    """Who takes it, of which kind it is, in words what it does, and the state after it."""

    who: str
    kind: str
    text: str
    after: State


class Model(Protocol[State]):
    @property
    def endless(self) -> frozenset[str]:
        """Kinds of steps that may come again and again; whether a run ends is asked for runs in which they stop."""

    def initial(self) -> State: ...

    def steps(self, state: State) -> Iterable[Step[State]]: ...

    def canonical(self, state: State) -> State:
        """The one state that stands for all that differ only in the names of alike actors."""


class Property(NamedTuple, Generic[State]):
    """`of_state`, which is also told the state's steps, and `of_step` give what is wrong, or None."""

    name: str
    of_state: Callable[[State, list[Step[State]]], str | None] | None = None
    of_step: Callable[[State, Step[State]], str | None] | None = None

    def breach(self, state: State, steps: list[Step[State]]) -> tuple[str, list[Step[State]]] | None:
        """What is wrong in this state or on one of its steps (which is given too); None where nothing is."""
        if self.of_state and (what := self.of_state(state, steps)):
            return what, []
        for step in steps if self.of_step else ():
            if self.of_step and (what := self.of_step(state, step)):
                return what, [step]
        return None


@dataclass(frozen=True)
class Violation:
    """The shortest way to a broken property."""

    broken: str
    what: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{number:>3}. {text}" for number, text in enumerate(self.trace, 1)]
        return "\n".join([f"Broken: {self.broken}", *lines, f"  => {self.what}"])


@dataclass
class Exploration(Generic[State]):
    """All that was visited. `violation` ends the visit."""

    model: Model[State]
    states: list[State] = field(default_factory=list)
    steps: int = 0
    kinds: set[str] = field(default_factory=set)
    violation: Violation | None = None
    _number: dict[State, int] = field(default_factory=dict)
    _came_from: list[int] = field(default_factory=list)
    _edges: list[tuple[int, int]] = field(default_factory=list)

    def visit(self, properties: list[Property[State]]) -> None:
        self._meet(self.model.canonical(self.model.initial()), -1)
        here = 0
        while here < len(self.states):
            state = self.states[here]
            steps = list(self.model.steps(state))
            for asked in properties:
                if asked.breach(state, steps):
                    self.violation = self._violation(asked, here)
                    return
            for step in steps:
                self._walk(here, step)
            here += 1

    def _violation(self, broken: Property[State], number: int) -> Violation:
        """The way there, and what is wrong, in the names that actors have on this way."""
        state, lines = self._walk_again(self._way_to(number))
        breach = broken.breach(state, list(self.model.steps(state)))
        assert breach is not None, "states that are taken for one differ in what matters"
        what, steps = breach
        return Violation(broken.name, what, (*lines, *map(_line, steps)))

    def _way_to(self, number: int) -> list[int]:
        way = [number]
        while self._came_from[way[-1]] >= 0:
            way.append(self._came_from[way[-1]])
        return way[::-1]

    def _walk_again(self, way: list[int]) -> tuple[State, tuple[str, ...]]:
        state, lines = self.model.initial(), []
        for number in way[1:]:
            leading_there = [s for s in self.model.steps(state) if self.model.canonical(s.after) == self.states[number]]
            step = min(leading_there, key=lambda step: step.kind in self.model.endless)
            lines.append(_line(step))
            state = step.after
        return state, tuple(lines)

    def endless_run(self) -> Violation | None:
        """A run that goes on for ever without any endless step; None where there is none."""
        before_it = self._circles()
        if not before_it:
            return None
        back = [next(iter(before_it))]
        while back[-1] not in back[:-1]:
            back.append(before_it[back[-1]])
        circle = back[back.index(back[-1]) :][::-1]
        _, lines = self._walk_again(self._way_to(circle[0]) + circle[1:])
        return Violation(EVERY_RUN_ENDS, f"the last {len(circle) - 1} steps can come again and again", lines)

    def _circles(self) -> dict[int, int]:
        """For each state on or behind a circle one such state before it.

        What nothing leads to is taken away, again and again (Kahn's algorithm), until nothing else is left.
        """
        following: list[list[int]] = [[] for _ in self.states]
        leading_here = [0] * len(self.states)
        for before, after in self._edges:
            following[before].append(after)
            leading_here[after] += 1
        free = deque(number for number, count in enumerate(leading_here) if count == 0)
        while free:
            for after in following[free.popleft()]:
                leading_here[after] -= 1
                if leading_here[after] == 0:
                    free.append(after)
        return {after: before for before, after in self._edges if leading_here[before] and leading_here[after]}

    def _meet(self, state: State, came_from: int) -> int:
        number = self._number.setdefault(state, len(self.states))
        if number == len(self.states):
            self.states.append(state)
            self._came_from.append(came_from)
        return number

    def _walk(self, here: int, step: Step[State]) -> None:
        self.steps += 1
        self.kinds.add(step.kind)
        there = self._meet(self.model.canonical(step.after), here)
        if step.kind not in self.model.endless:
            self._edges.append((here, there))


def explore(model: Model[State], properties: list[Property[State]]) -> Exploration[State]:
    """Visits all, or ends at the first breach of a property."""
    exploration = Exploration(model)
    exploration.visit(properties)
    return exploration


def _line(step: Step[State]) -> str:
    return f"{step.who}: {step.text}"
