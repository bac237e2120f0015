"""Answering: a bundle over HTTP.

Here: requests and responses, where a bundle comes from, and the BentoML service. Not here: logic; a request is a look-up
in forecasts that were computed when the service started.
"""
