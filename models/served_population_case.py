"""Case: who is present in a city, what they need and what there is, as a file or a request states it."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError
from pydantic import model_validator as checked
from pydantic_core import InitErrorDetails, PydanticCustomError

from features.dataset import KAZAKHSTAN
from models.served_population_faults import MOST, cross_faults, fault_lines, key_faults

ASTANA = KAZAKHSTAN / "served" / "astana_2025.toml"
ILLUSTRATIVE = KAZAKHSTAN / "served" / "illustrative.toml"
REGISTERED = "registered"
PER_HALF_UNIT = 3**0.5
"""Half the width of a uniform distribution over its standard deviation."""
NORM_SECTIONS = ("illustrative", "norm", "capacity", "recipients", "budget")


class ServedError(ValueError):
    """A case that cannot be answered; names every fault, where it is and what would be right."""


def _day(value: Any) -> Any:
    """A date of TOML, or a text as JSON has it; a number would be taken for seconds."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> Any:
    raise PydanticCustomError("day", "must be a date, as 2025-12-22")


Kind = Literal["registered", "unregistered", "commuters", "visitors"]
AgeGroup = Literal["children", "working_age", "pension_age"]
Basis = Literal["official", "derived", "estimated"]
Day = Annotated[date, BeforeValidator(_day)]
Year = Annotated[int, Field(ge=1900, le=2200, description="Calendar year, from 1 January")]
Text = Annotated[str, Field(min_length=1, max_length=1_000)]
Source = Annotated[Text, Field(description="Whose figure it is: an address, or name and place")]
Note = Annotated[Text | None, Field(description="What is worth knowing of it")]
Amount = Annotated[float, Field(ge=0, le=1e15)]
Persons = Annotated[float, Field(ge=0, le=1e10)]
Unit = Annotated[Text, Field(description="Unit of the amount, as m3/day, places or kW; never converted")]
Service = Annotated[Text, Field(description="Name of the service, the same in norm and capacity")]
Benefit = Annotated[Text, Field(description="Name of the benefit, the same in recipients and budget")]


class Row(BaseModel):
    """Keys as they are named here, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class City(Row):
    """Whose case it is, and of which day."""

    region: Text = Field(description="Code of the region that the city is, as KZ-71")
    name: Text = Field(description="Name of the city")
    date: Day = Field(description="Day that the ledger is of")


class Stated(Row):
    """A stated number of persons, with `error`, or as it was said: `rounded_to`, and `said` about or over."""

    persons: Persons = Field(description="Persons, as stated")
    error: float | None = Field(default=None, ge=1e-6, le=1e10, description="Standard error, persons; above 0")
    said: Literal["about", "over"] | None = Field(default=None, description="How a rounded number was given")
    rounded_to: float | None = Field(
        default=None, ge=1e-6, le=1e10, description="Unit of the last digit given, persons"
    )
    source: Source
    date: Day = Field(description="Day of the statement, or that it is of")
    basis: Basis = Field(description="Kind of number")
    note: Note = None

    @property
    def value(self) -> float:
        """Persons expected: 'over X' is the middle of X and X plus the unit of rounding."""
        return self.persons + (self.rounded_to or 0.0) / 2 if self.said == "over" else self.persons

    @property
    def standard_error(self) -> float:
        """Persons; of a rounded number that of a uniform distribution one unit wide."""
        return self.error if self.error is not None else (self.rounded_to or 0.0) / 2 / PER_HALF_UNIT


class Component(Stated):
    """One kind of presence as a source states it."""

    kind: Kind = Field(description="Kind of presence")
    coverage: float = Field(ge=1e-3, le=1, description="Share of the component that the source counts, 0.001 to 1")
    growth_per_year: float | None = Field(
        default=None, gt=-1, le=1, description="Growth as 0.02; left out: constant ratio to registered residents"
    )


class Norm(Row):
    """What `per` persons need of a service."""

    service: Service
    unit: Unit
    value: Amount = Field(description="Amount that `per` persons need, in the unit")
    per: float = Field(default=1.0, ge=1, le=1e10, description="Persons that the value is of, as 1 or 1000")
    counts: dict[Kind, Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=1, description="Part of a norm that a person present counts, 0-1, by kind; a kind left out counts 0"
    )
    age_group: AgeGroup | None = Field(default=None, description="Age group that it is of; left out: all ages")
    source: Source
    date: Day = Field(description="Day since which it is in force, or that it is of")
    note: Note = None


class Capacity(Row):
    """What there is of a service from a year on, until the next row of the service."""

    service: Service
    unit: Unit
    year: Year
    value: Amount = Field(description="Amount there is, in the unit")
    source: Source
    note: Note = None


class Recipients(Row):
    """Who receives a benefit."""

    benefit: Benefit
    per_1000: float = Field(ge=0, le=1000, description="Recipients per 1,000 residents of the age group")
    age_group: AgeGroup | None = Field(default=None, description="Age group that it is of; left out: all ages")
    cost_per_recipient: Amount | None = Field(default=None, description="Cost of a recipient in a year, in the unit")
    unit: Text | None = Field(default=None, description="Unit of the cost, as tenge/year")
    source: Source
    date: Day = Field(description="Day that it is of")
    note: Note = None


class Budget(Row):
    """What a benefit may cost from a year on, until the next row of the benefit."""

    benefit: Benefit
    unit: Unit
    year: Year
    value: Amount = Field(description="Amount there is in a year, in the unit, as tenge/year")
    source: Source
    note: Note = None


class Case(Row):
    """All that is stated of a city; `illustrative` where norms or capacities only show the form."""

    city: City = Field(description="Whose case it is, and of which day")
    component: list[Component] = Field(min_length=1, max_length=MOST, description="Kinds of presence, a row each")
    total: Stated | None = Field(default=None, description="All who are served, where it is stated")
    norm: list[Norm] = Field(default=[], max_length=MOST, description="What persons need of services")
    capacity: list[Capacity] = Field(default=[], max_length=MOST, description="What there is of services")
    recipients: list[Recipients] = Field(default=[], max_length=MOST, description="Who receives benefits")
    budget: list[Budget] = Field(default=[], max_length=MOST, description="What benefits may cost")
    illustrative: bool = Field(default=False, description="Whether norms and capacities only show the form")

    @checked(mode="wrap")
    @classmethod
    def _every_fault(cls, data: Any, handler: ModelWrapValidatorHandler["Case"]) -> "Case":
        """Faults between rows beside those of single keys, which would otherwise be told only after these."""
        across = [
            InitErrorDetails(type=PydanticCustomError("case", "{fault}", {"fault": text}), loc=place, input=None)
            for place, text in cross_faults(data)
        ]
        try:
            made = handler(data)
        except ValidationError as error:
            if not across:
                raise
            own = [InitErrorDetails(type=_kept(one), loc=one["loc"], input=one["input"]) for one in error.errors()]
            raise ValidationError.from_exception_data(cls.__name__, [*own, *across]) from None
        if across:
            raise ValidationError.from_exception_data(cls.__name__, across)
        return made


def _kept(one: Any) -> PydanticCustomError:
    return PydanticCustomError(one["type"], "{said}", {"said": one["msg"], **one.get("ctx", {})})


SECTIONS: dict[str, type[BaseModel]] = {
    "city": City,
    "component": Component,
    "total": Stated,
    "norm": Norm,
    "capacity": Capacity,
    "recipients": Recipients,
    "budget": Budget,
}


def example() -> Case:
    """Astana in December 2025 by public statements, with norms that only show the form."""
    return read_case(ASTANA, ILLUSTRATIVE)


def case_of(data: object, name: str = "case") -> Case:
    """The case that a dictionary of sections states.

    Raises ServedError that lists every fault, with section, row and key.
    """
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        raise _error(name, fault_lines(error, Case, SECTIONS)) from None


def read_case(path: Path, norms: Path | None = None) -> Case:
    """The case of a TOML file; where `norms` is given, its norms, capacities, recipients and budgets instead.

    Raises ServedError that lists every fault of both.
    """
    if norms is None:
        return case_of(_read(path), str(path))
    own, other = _read(path), _read(norms)
    unknown = key_faults(other, NORM_SECTIONS)
    if unknown:
        raise _error(str(norms), unknown)
    kept = {key: value for key, value in own.items() if key not in NORM_SECTIONS}
    return case_of(kept | other, f"{path} with {norms}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ServedError(f"{path}: {error}; must be a TOML file") from None


def _error(name: str, faults: list[str]) -> ServedError:
    return ServedError("\n".join([f"{name}:", *(f"  {fault}" for fault in faults)]))
