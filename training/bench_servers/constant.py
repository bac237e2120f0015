"""The constant: what BentoML's own endpoint costs when it has nothing to do."""

import bentoml

CONSTANT = "nothing"


@bentoml.service(name="constant", workers=1)
class Constant:
    @bentoml.api
    async def forecast(self, target: str, regions: list[str]) -> str:
        return CONSTANT
