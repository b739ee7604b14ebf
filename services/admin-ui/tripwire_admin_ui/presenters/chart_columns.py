"""The last day's requests as small columns: shapes for one SVG, stacked by how they were processed. Pure."""

from dataclasses import dataclass

from tripwire_shared.answers.history import Bucket, History

STEP, WIDTH, HEIGHT = 9, 7, 40
TOGETHER = 3  # buckets of ten minutes in one column
KINDS = ("queued", "fallback", "direct")
# Of a column in which nobody measured: low, as among the bars of a part.
UNMEASURED, UNMEASURED_HEIGHT = "unmeasured", 5.0


@dataclass(frozen=True)
class Columns:
    """`paths` are (kind, path); `peak` is the highest column; `unmeasured` is how many nobody measured."""

    width: int
    height: int
    paths: tuple[tuple[str, str], ...]
    peak: int
    unmeasured: int


def columns(history: History) -> Columns:
    groups = [history.buckets[place : place + TOGETHER] for place in range(0, len(history.buckets), TOGETHER)]
    sums = [{kind: _sum(group, kind) for kind in KINDS} for group in groups]
    peak = max((sum(one.values()) for one in sums), default=0)
    gaps = [place for place, group in enumerate(groups) if not any(bucket.measured for bucket in group)]
    paths = dict.fromkeys((*KINDS, UNMEASURED), "")
    for place in gaps:
        paths[UNMEASURED] += _rectangle(place, HEIGHT, UNMEASURED_HEIGHT)
    for place, one in enumerate(sums):
        bottom = float(HEIGHT)
        for kind in KINDS:
            if one[kind]:
                height = max(1.0, one[kind] / peak * HEIGHT)
                paths[kind] += _rectangle(place, bottom, height)
                bottom -= height
    drawn = tuple((kind, path) for kind, path in paths.items() if path)
    return Columns(max(1, len(sums) * STEP - (STEP - WIDTH)), HEIGHT, drawn, peak, len(gaps))


def _rectangle(place: int, bottom: float, height: float) -> str:
    return f"M{place * STEP} {bottom - height:.1f}h{WIDTH}v{height:.1f}h-{WIDTH}z"


def _sum(group: tuple[Bucket, ...], kind: str) -> int:
    return sum(getattr(bucket, kind) or 0 for bucket in group)
