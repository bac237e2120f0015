"""Answering: a bundle over HTTP.

Here: requests and answers, where a bundle comes from, and the BentoML service; `python -m serving` starts it. Not here:
models; a request is a look-up in answers that were computed when the service started.
"""
