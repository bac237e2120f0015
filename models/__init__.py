"""How a forecast is made: baselines, models, combination, calibration, draws, and the bundle that holds them.

Here: everything between a Dataset at a cutoff and a Forecast. `MigrationForecaster` is the one door. Not here: choosing
what is served (training), tracking, HTTP.

Every model has a `name` and the same two methods:

    fit(dataset, target, cutoff, horizons) -> the fitted model (itself, where nothing is learnt)
    predict(dataset, target, cutoff, horizons) -> DataFrame, region × horizon, persons

Models of flows (flow_models.py) have no target and answer persons by pair:

    fit(dataset, cutoff, horizons), predict(dataset, cutoff, horizons) -> array, horizon × pair of flow_history

Structural models (structural.py) see no past flows: fit(dataset, cutoff), predict(dataset, cutoff) -> region × region.
"""
