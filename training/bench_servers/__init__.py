"""Servers that the bench of the service measures it against: each is a program of its own, started by `serving_bench`.

Here: a BentoML endpoint that returns a constant, a bare FastAPI app with prepared answers, a model for `mlflow models
serve`. Not here: the service itself, which training does not know.
"""
