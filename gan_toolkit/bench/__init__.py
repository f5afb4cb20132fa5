"""Speed as ratios: contestants, each a process of its own, take turns on one machine.

`contestant` is what a process does that takes part, `process` and `contest` what asks it, `machine`
looks at who else computes. `own` and `floor` are the toolkit's own contestants: a recipe's training
loop, and the matrix products and convolutions of its step alone.
"""
