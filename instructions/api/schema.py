"""How the API description shows documents and their versions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import accepted, responses
from instructions.api import serializers
from instructions.api.operations import EditBody

instructions = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getInstruction",
        summary="Get an instruction, the newest version or another",
        description="The text with its blocks and what the validator found.",
        responses=responses(200, serializers.InstructionSerializer, response_headers=("ETag",)),
    ),
    update=extend_schema(
        operation_id="saveInstruction",
        summary="Save an instruction",
        description="Each save is a new version, unless nothing changed. Of several writers with one base_version "
        "one wins; the others get VERSION_CONFLICT.",
        request=serializers.SaveBody,
        responses=responses(
            200,
            serializers.InstructionSerializer,
            "DOCUMENT_TOO_COMPLEX",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VERSION_CONFLICT",
            "PRECONDITION_FAILED",
            response_headers=("ETag",),
            request_headers=("If-Match",),
        ),
    ),
    steps=extend_schema(
        operation_id="getInstructionSteps",
        summary="Get the steps of an instruction, of the newest version or another",
        description="The steps in the order of the text, each with when it is shown in the video, what it rests on and "
        "the anchors in it. A step's span and evidence stay with its block through edits, moves, splits and merges.",
        responses=responses(200, serializers.StepSerializer(many=True)),
    ),
    edits=extend_schema(
        operation_id="editInstruction",
        summary="Edit the steps of an instruction",
        description="Renames, rewrites, inserts, deletes, moves, merges and splits steps. All operations make one new "
        "version, or none does: each is applied to what the one before left. Steps are numbered anew, and blocks that "
        "no operation names stay as they are. Headings inside a step that is moved or put in take the level that fits "
        "it, a code block that is left open is closed, and definitions of links that nothing uses any more go. To "
        "undo, restore the version before.\n\n"
        "An operation that cannot be carried out is a 400 with its field and a code: `unknown_block`, "
        "`deleted_block` (by an operation before it), `not_a_step`, `not_adjacent`, `not_in_step`, `inside_itself`, "
        "`no_heading`, `heading_level`, `blank`, `too_many_steps`, `title_reads_otherwise` (a merged title that is no "
        "paragraph), `joins_neighbour` (text that would run into what stands beside it).",
        request=EditBody,
        responses=responses(
            200,
            serializers.InstructionSerializer,
            "DOCUMENT_TOO_COMPLEX",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VERSION_CONFLICT",
            "PRECONDITION_FAILED",
            response_headers=("ETag",),
            request_headers=("If-Match",),
        ),
    ),
    versions=extend_schema(
        operation_id="listInstructionVersions",
        summary="List the versions of an instruction",
        description="Every version that was saved, newest first, without its text.",
        responses=responses(200, serializers.InstructionVersionSerializer, many=True),
    ),
    diff=extend_schema(
        operation_id="diffInstruction",
        summary="Compare two versions of an instruction",
        description="The lines that differ, and what became of each block. `from` may be the newer of the two; two "
        "equal texts have no lines and no blocks.",
        responses=responses(200, serializers.InstructionDiffSerializer),
    ),
    restore=extend_schema(
        operation_id="restoreInstruction",
        summary="Take an older version back",
        description="The text of that version becomes the newest version, with what its steps rested on; nothing "
        "changes when the newest has all of that already.",
        request=serializers.RestoreBody,
        responses=responses(
            200,
            serializers.InstructionSerializer,
            "DOCUMENT_TOO_COMPLEX",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VERSION_CONFLICT",
            "PRECONDITION_FAILED",
            response_headers=("ETag",),
            request_headers=("If-Match",),
        ),
    ),
    regenerate=extend_schema(
        operation_id="regenerateInstruction",
        summary="Have a passage rewritten",
        description="A language model writes one block, or a range of characters, anew; the task makes a version that "
        "differs in that passage alone. The job is REGENERATING until the task ends; one that is DONE stays so. Poll "
        "the task; the same client_request_id and body are the same task. A save meanwhile is not overwritten: the "
        "task fails with BASE_VERSION_MOVED.",
        request=serializers.RegenerateBody,
        responses=accepted(
            serializers.RegenerateTaskSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "REGENERATE_IN_PROGRESS",
            "VERSION_CONFLICT",
        ),
    ),
)
tasks = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getTask",
        summary="Get a task of rewriting",
        description="Poll it until it is SUCCEEDED or FAILED. Where the model left the passage as it was, "
        "`instruction_version` is the base version, and there is no new one. It fails with BASE_VERSION_MOVED when the "
        "document was changed meanwhile, with MODEL_OUTPUT_INVALID when the model's answer would change more than the "
        "passage, and with JOB_CANCELLED when the job has ended.",
        responses=responses(200, serializers.RegenerateTaskSerializer),
    ),
)
