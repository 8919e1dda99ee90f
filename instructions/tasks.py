"""The stage of the local pipeline that belongs to this app: what a worker loads."""

from __future__ import annotations

from instructions import stages
from jobs import hooks

hooks.STAGES["GENERATING"] = stages.generate_stage
