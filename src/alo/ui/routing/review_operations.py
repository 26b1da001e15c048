"""What the paths of reviews: their screens, and what is decided take and answer."""

from __future__ import annotations

from collections.abc import Mapping

from alo.ui.routing.operations import Parameter, Schema

PARAMETERS: Mapping[str, Parameter] = {}
COMPONENTS: Mapping[str, Schema] = {}
