"""One small training on the embedded data, made once for all tests of this folder."""

import pytest

from training.config import load_config
from training.run import train


@pytest.fixture(scope="session")
def config():
    return load_config(["draws=200", "horizons=[1, 2]"])


@pytest.fixture(scope="session")
def trained(config):
    """Bundle and backtest."""
    return train(config)
