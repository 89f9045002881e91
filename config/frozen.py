"""The base of settings models: frozen, and an unknown key is an error."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]


class Frozen(BaseModel):
    """A settings section. A misspelt key must not pass silently, and no code changes settings later."""

    model_config = ConfigDict(frozen=True, extra="forbid")
