"""What is known about regions and their surroundings at a cutoff.

Here: the tables' contracts, the indicator dictionary, reading a dataset folder, boundaries, targets, flows, part-years,
features of regions and pairs, values that a later release replaced, the embedded dataset of Kazakhstan; and in
`releases`, how a dataset grows. Not here: anything that learns, and anything that knows how features are used.
"""
