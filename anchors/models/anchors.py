"""Where pictures stand: anchors, and where they were found in other versions."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from config.accounts.models import User
from instructions.models import Instruction, InstructionVersion
from jobs.models import Job


class AnchorQuerySet(models.QuerySet["Anchor"]):
    def visible_to(self, user: User) -> AnchorQuerySet:
        return self.filter(instruction__job__owner_id=user.pk)


class Anchor(models.Model):
    """A place in one version of a document that carries a picture: a block, or a range of its text."""

    class AddressType(models.TextChoices):
        BLOCK_ID = "block_id"
        CHAR_RANGE = "char_range"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instruction = models.ForeignKey(Instruction, models.CASCADE, related_name="anchors", db_index=False)
    instruction_version = models.ForeignKey(
        InstructionVersion, models.CASCADE, related_name="anchors", db_index=False
    )
    address_type = models.CharField(max_length=16, choices=AddressType.choices)
    block_id = models.UUIDField(null=True)
    char_start = models.PositiveIntegerField(null=True)
    char_end = models.PositiveIntegerField(null=True)
    active_asset = models.ForeignKey("Asset", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    objects = AnchorQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["instruction", "id"], name="anchor_list"),
            models.Index(fields=["instruction_version", "id"], name="anchor_list_of_version"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(address_type="block_id", block_id__isnull=False, char_start__isnull=True)
                | Q(address_type="char_range", block_id__isnull=True, char_start__lt=models.F("char_end")),
                name="anchor_has_one_address",
            )
        ]
        permissions = [("place_any_anchor", "Can put any anchor that was not found on a block")]

    def __str__(self) -> str:
        return f"Anchor {str(self.pk)[-6:]}"

    @property
    def addressing(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"address_type": self.address_type}
        if self.address_type == self.AddressType.BLOCK_ID:
            shown["block_id"] = str(self.block_id)
        else:
            shown["char_range"] = {"start_offset": self.char_start, "end_offset": self.char_end}
        return shown


class OnlyPlacedByHand(pgtrigger.Trigger):
    """Rows of which one thing may change, once: an anchor that was not found is put on a block by hand. They are
    deleted only by the purge, which sets `SET LOCAL stepwright.purge = 'on'`."""

    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete

    def get_func(self, model: Any) -> str:
        return """
            IF TG_OP = 'DELETE' AND current_setting('stepwright.purge', true) = 'on' THEN
                RETURN OLD;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                IF OLD.state = 'unresolved' AND NEW.state = 'remap'
                    AND to_jsonb(NEW) - '{state,addressing,trace}'::text[]
                        = to_jsonb(OLD) - '{state,addressing,trace}'::text[]
                    AND NEW.addressing = jsonb_build_object(
                        'address_type', 'block_id', 'block_id', NEW.trace #>> '{to,block_id}')
                    AND NEW.trace = jsonb_build_object(
                        'method', 'by_hand', 'score', NEW.trace -> 'score', 'from', OLD.trace -> 'from',
                        'to', jsonb_build_object('block_id', NEW.trace #>> '{to,block_id}'))
                    AND NEW.trace #>> '{to,block_id}' IS NOT NULL
                    AND jsonb_typeof(NEW.trace -> 'score') = 'number'
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'rows of % are append-only, but for placing what was not found', TG_TABLE_NAME;
        """


class AnchorResolution(models.Model):
    """Where an anchor stands in another version than its own; found once, as neither of the two ever changes.

    `addressing` is its address there, null when it is unresolved. One that is unresolved can be placed by hand, once.
    """

    class State(models.TextChoices):
        RETAIN = "retain"
        REMAP = "remap"
        UNRESOLVED = "unresolved"

    BY_HAND = "by_hand"  # the method in the trace of one that was placed

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    anchor = models.ForeignKey(Anchor, models.CASCADE, related_name="resolutions")
    target_version = models.ForeignKey(InstructionVersion, models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices)
    addressing = models.JSONField(null=True)
    trace = models.JSONField()  # {method, score, from, to}
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="resolutions_by_state")]
        constraints = [
            models.UniqueConstraint(fields=["anchor", "target_version"], name="resolved_once_a_version"),
            models.CheckConstraint(
                condition=Q(state="unresolved", addressing__isnull=True)
                | Q(state__in=["retain", "remap"], addressing__isnull=False),
                name="resolution_has_an_address",
            ),
        ]
        triggers = [OnlyPlacedByHand(name="resolution_placed_once")]

    def __str__(self) -> str:
        return f"{self.anchor} in {self.target_version}"


class UnresolvedAnchor(AnchorResolution):
    """A resolution as the admin lists it that waits for somebody to put its anchor on a block."""

    class Meta:
        proxy = True
        verbose_name = "picture without a place"
        verbose_name_plural = "pictures without a place"

    @property
    def is_unresolved(self) -> bool:
        return self.state == self.State.UNRESOLVED

    @property
    def job(self) -> Job:
        return self.target_version.instruction.job

    def __str__(self) -> str:
        return f"Picture of {self.target_version}"
