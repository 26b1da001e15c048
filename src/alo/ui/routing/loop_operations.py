"""What the paths of data sets, candidates and traces take and answer."""

from __future__ import annotations

from collections.abc import Mapping

from alo.ui.routing.operations import Parameter, Schema

PARAMETERS: Mapping[str, Parameter] = {}
COMPONENTS: Mapping[str, Schema] = {}
