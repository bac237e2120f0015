"""Trees as text, read by LightGBM when they are first asked: who answers from a kept forecast never asks them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lightgbm import Booster


@dataclass(frozen=True)
class Trees:
    """text: LightGBM's text form. Takes the place of a Booster, which is as much of it as is used."""

    text: str = field(repr=False)

    @cached_property
    def _booster(self) -> "Booster":
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def predict(self, features: np.ndarray, **words: Any) -> Any:
        return self._booster.predict(features, **words)

    def model_to_string(self) -> str:
        return self.text
