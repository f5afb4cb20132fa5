"""What a reader must be told before believing a score: the rules, each in one place.

They return lines for `Score.warnings`. The score may be used all the same; a `void` one may not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

OURS = "gantk"
"""The protocol that is nobody else's."""
MOST_NAMED = 4
BIAS = 0.01
"""Share of an entropy that counting may overstate the information by."""
SLACK = 0.2
"""Nats between two bounds of the same information."""
FEWER = 0.05
"""Nats by which the audit may find less than a bound that it should not fall short of."""
SEEN = 0.9
"""Share of what is in the samples that spoilt ones still show."""
ABSENT = 0.05
"""Nats below which a code counts as inactive."""
AUDIBLE = 0.1
"""Nats of a code below which a share of it is a share of noise."""
DIVERGENCE = 0.1
"""Nats from the prior."""
ORACLE = 0.95
"""What the factors themselves should get."""


def overstated(bias: Mapping[str, float]) -> list[str]:
    """Tell of which variables counting overstates the information; `bias` is a share of each H."""
    worst = {name: share for name, share in bias.items() if share > BIAS}
    if not worst:
        return []
    whose = next(iter(worst)) if len(worst) == 1 else f"{len(worst)} of {len(bias)} variables"
    return [
        f"too few samples to count: the information of {whose} is overstated by up to "
        f"{max(worst.values()):.1%} of the entropy"
    ]


def absent(found: float) -> list[str]:
    """Tell that the samples hold next to nothing of a code; in nats."""
    return ["next to nothing of it is in the samples"] if found < ABSENT else []


def loose(slack: float) -> list[str]:
    """Tell how far the audit (nats) lies from the bound of the training reader, if it is far."""
    if slack > SLACK:
        return [f"the training reader misses {slack:.2f} nats that are in the samples"]
    return undertrained(-slack)


def undertrained(lacking: float) -> list[str]:
    """Tell that the audit finds less, by so many nats, than a bound that it should reach."""
    if lacking <= FEWER:
        return []
    return [
        f"the audit is under-trained: another reader finds {lacking:.2f} nats more; take more "
        "samples or epochs"
    ]


def hidden(whole: float, visible: float) -> list[str]:
    """Tell that a code hides in what nobody sees; both in nats."""
    if whole < AUDIBLE or visible / whole >= SEEN:
        return undertrained(visible - whole)
    return [f"only {max(visible, 0) / whole:.0%} of what is in the samples is visible"]


def unlike_prior(divergence: float) -> list[str]:
    """Tell that real data uses a code otherwise than the prior does; in nats."""
    told = "real data uses the categories otherwise than the prior"
    return [told] if divergence > DIVERGENCE else []


def poor_oracle(value: float | None) -> list[str]:
    """Tell that the factors themselves, taken as codes, do not get what is best."""
    if value is None or value >= ORACLE:
        return []
    return [f"the factors themselves get {value:.2f}: read the value against that, not against 1"]


def beyond(protocol: str, names: Sequence[str]) -> list[str]:
    """Tell of what codes and factors a published protocol says nothing."""
    if protocol in ("", OURS) or not names:
        return []
    few = [*names[:MOST_NAMED], *(["…"] if len(names) > MOST_NAMED else [])]
    return [
        f"the protocol {protocol} is for codes that are numbers and factors that are categories; "
        f"not as published: {', '.join(few)}"
    ]


def other_size(protocol: str, count: int, published: int) -> list[str]:
    """Tell that a published protocol takes another number of samples than these."""
    if protocol in ("", OURS) or count == published:
        return []
    return [f"the protocol {protocol} takes {published:,} samples; these are {count:,}"]


def dead(names: Sequence[str]) -> list[str]:
    """Name the codes that do not vary."""
    return [f"dead on real samples: {', '.join(names)}"] if names else []
