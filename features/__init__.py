"""What is known about regions and their surroundings at a cutoff.

Here: the tables' contracts, the indicator dictionary, reading a dataset folder, boundaries, targets, flows, part-years,
features of regions and pairs, and the embedded dataset of Kazakhstan. Not here: anything that learns, and anything that
knows how features are used.
"""
