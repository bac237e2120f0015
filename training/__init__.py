"""Finding and proving a model: backtest, gate, tuning, tracking, and the command line.

Here: what decides which model is served, and what leaves a bundle behind. Not here: how a forecast is made (models).
"""
