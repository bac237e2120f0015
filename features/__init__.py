"""What is known about regions and their surroundings at a cutoff.

Here: the tables' contracts, the indicator dictionary, reading a dataset folder, boundaries, targets, flows, part-years,
features of regions and pairs, values that a later release replaced, the embedded dataset of Kazakhstan; in `releases`,
how a dataset grows; and the balanced record: `evidence` is what figures state, `account_*` and `balancing` estimate,
`accounts` is the record, `balance_sheet`, `contradictions` and `audit` check it. Not here: anything that learns, and
anything that knows how features are used.
"""
