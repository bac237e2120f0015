"""How a forecast is made: baselines, models, combination, calibration, draws, and the bundle that holds them.

Here: everything between a Dataset at a cutoff and a Forecast. `MigrationForecaster` is the one door. Not here: choosing
what is served (training), tracking, HTTP.

Every model has a `name` and the same two methods:

    fit(dataset, target, cutoff, horizons) -> the fitted model (itself, where nothing is learnt)
    predict(dataset, target, cutoff, horizons) -> DataFrame, region × horizon, persons

Models of flows (flow_models.py) have no target and answer persons by pair:

    fit(dataset, cutoff, horizons), predict(dataset, cutoff, horizons) -> array, horizon × pair of flow_history

Many years ahead: `project` (projection.py) carries a forecast on, `Outlook` (outlook.py) is what is kept of it. It
starts from age_structure.py, steps by cohort_year.py, with the rates of vital_rates.py and the moves of mobility.py;
schedules.py has what is not recorded by age.

Structural models (structural.py) see no past flows: fit(dataset, cutoff), predict(dataset, cutoff) -> region × region.
"""
