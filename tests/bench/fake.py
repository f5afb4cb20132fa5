"""A contestant without torch, for tests: its first argument says how it behaves."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
from gan_toolkit.bench.contestant import serve

KIND, *REST = sys.argv[1:]
FACTS = {
    "batch": 4,
    "samples_per_step": 4,
    "shape": [1, 2, 2],
    "device": "cpu",
    "precision": "f32",
    "threads": 1,
    "described": "CPU (x), 1 thread, f32",
    "data": "dots (synthetic)",
    "torch": "2",
}


def steps(count):
    done.append(count)
    time.sleep(0.001 * count)
    if KIND == "gives_up" and len(done) > 3:
        raise RuntimeError("enough\nof this")
    if KIND == "vanishes" and len(done) > 1:
        os._exit(7)


def set_up(settings):
    if REST:
        Path(REST[0]).write_text(json.dumps(settings))
    if KIND == "fails":
        raise ValueError("no network of that size")
    print("a library says hello")  # noqa: T201 - the subject
    verbs = {"steps": steps}
    if KIND == "floor":
        return FACTS | {"products": {"mm": 3_000_000, "convolution": 1_000_000}}, verbs
    verbs["flops"] = lambda count: {"flops": 2_000_000 // (KIND != "cant_count")}
    if KIND == "counts":
        verbs["shares"] = lambda count: {"shares": {"passes": 0.9, "optimiser": 0.07, "data": 0.03}}
    return FACTS, verbs


done: list[int] = []
if KIND == "silent":
    sys.exit(3)
elif KIND == "complains":
    sys.exit("first\nlast words")
elif KIND == "babbles":
    print("what?", flush=True)  # noqa: T201
    time.sleep(60)
elif KIND == "lists":
    print("[1]", flush=True)  # noqa: T201
    time.sleep(60)
elif KIND == "hangs":
    time.sleep(60)
else:
    serve(set_up)
