"""The versions of a document in the admin: how they are listed, and what differs between two."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from config.accounts.models import User
from instructions.admin import comparison, versions
from instructions.models import Instruction, InstructionVersion
from jobs.models import Job
from jobs.services.audit import by_staff
from jobs.services.content import show_content
from jobs.states import JobStatus
from tests.factories import Api, make_job

pytestmark = pytest.mark.django_db
VERSIONS = "/admin/instructions/instructionversion/"
MAY = ("view_job", "view_instruction", "view_instructionversion", "read_content")


def signed_in(*permissions: str, name: str = "support") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def open_for_support(job: Job) -> None:
    show_content(job=job, by=by_staff(User.objects.get(username="support"), "It is tested."))


@pytest.fixture
def document(owner: Api) -> Instruction:
    """A document whose owner has written two versions after the draft."""
    instruction: Instruction = make_job(JobStatus.EDITING, owner=owner.user).instruction
    for old, new in (("Type the name.", "Type the <b>full</b> name."), ("# ", "# A new title: ")):
        shown = owner.get(f"/instructions/{instruction.pk}").json()
        body = {"base_version": shown["version"], "markdown": shown["markdown"].replace(old, new, 1)}
        assert owner.put(f"/instructions/{instruction.pk}", body).status_code == 200
    instruction.refresh_from_db()
    return instruction


def page(instruction: Instruction, query: str = "") -> str:
    return f"/admin/instructions/instruction/{instruction.pk}/compare/{query}"


def compared(client: Client, instruction: Instruction, query: str = "") -> Any:
    return client.get(page(instruction, query)).context["difference"]


def test_versions_are_listed_in_words_and_the_current_is_marked(document: Instruction) -> None:
    client = signed_in(*MAY)
    listed = client.get(f"/admin/instructions/instruction/{document.pk}/change/").context["versions"]
    assert [each.row.version for each in listed] == [3, 2, 1]
    assert [each.is_current for each in listed] == [True, False, False]
    assert [each.made for each in listed] == ["Owner’s edit", "Owner’s edit", "Draft"]
    assert [each.by for each in listed] == [str(document.job.owner)] * 2 + ["the service"]
    sizes = [len(version.markdown.encode()) for version in document.versions.order_by("-version")]
    assert [each.size for each in listed] == sizes
    assert [each.validation for each in listed] == ["1 thing to mend"] * 2 + ["Nothing to mend"]


def test_the_page_of_a_version_leads_to_what_changed_with_it(document: Instruction) -> None:
    client = signed_in(*MAY)
    first, second, _ = document.versions.order_by("version")
    for version, leads in ((first, False), (second, True)):
        shown = client.get(f"/admin/instructions/instructionversion/{version.pk}/change/").content.decode()
        assert (page(document, "?before=1&amp;after=2") in shown) is leads


def test_a_version_names_its_author_with_a_link_where_one_may_follow_it(document: Instruction) -> None:
    owner = document.job.owner
    link = f'<a href="/admin/accounts/user/{owner.pk}/change/" class="text-link">{owner}</a>'
    draft, edit, _ = document.versions.order_by("version")
    client, may_view_users = signed_in(*MAY), signed_in(*MAY, "view_user", name="other")
    for version, named in ((draft, "the service"), (edit, str(owner))):
        path = f"/admin/instructions/instructionversion/{version.pk}/change/"
        shown, shown_with_link = (each.get(path).content.decode() for each in (client, may_view_users))
        assert named in shown and link not in shown and str(owner.pk) not in shown
        assert (link in shown_with_link) is (version == edit)


def test_the_list_of_all_versions_names_their_authors(document: Instruction) -> None:
    draft = document.versions.get(version=1)
    fields = {name: getattr(draft, name) for name in ("instruction_id", "markdown", "source")}
    InstructionVersion.objects.create(**fields, version=4, created_by="of long ago")
    lines = signed_in(*MAY).get(f"{VERSIONS}csv/").getvalue().decode().splitlines()
    by = [line["By"] for line in csv.DictReader(lines)]
    assert by == ["of long ago", *[str(document.job.owner)] * 2, "the service"]
    assert str(document.job.owner.pk) not in signed_in(*MAY, name="b").get(VERSIONS).content.decode()


def test_the_list_is_cut_and_says_so(document: Instruction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MAX_VERSIONS", 2)
    shown = signed_in(*MAY).get(f"/admin/instructions/instruction/{document.pk}/change/")
    assert [each.row.version for each in shown.context["versions"]] == [3, 2]
    assert "The newest 2 of 3." in shown.content.decode()


def test_the_two_newest_are_compared_unless_others_are_named(document: Instruction) -> None:
    client = signed_in(*MAY)
    open_for_support(document.job)
    assert [each.kind for each in compared(client, document).changes] == ["heading"]
    both = compared(client, document, "?before=1&after=3").changes
    assert [(each.kind, each.labels) for each in both] == [
        ("heading", ("Changed",)),
        ("paragraph", ("Changed",)),
    ]


def test_words_are_marked_and_no_text_becomes_markup(document: Instruction) -> None:
    client = signed_in(*MAY)
    open_for_support(document.job)
    shown = client.get(page(document, "?before=1&after=2")).content.decode()
    assert "Type the <ins>&lt;b&gt;full&lt;/b&gt; </ins>name." in shown
    assert (
        "<del>&lt;b&gt;full&lt;/b&gt; </del>"
        in client.get(page(document, "?before=2&after=1")).content.decode()
    )
    assert "They do not differ." in client.get(page(document, "?before=2&after=2")).content.decode()


def test_what_changed_is_shown_for_a_reason_alone(document: Instruction) -> None:
    client = signed_in(*MAY)
    asked = client.get(page(document, "?before=1&after=2"))
    assert asked.status_code == 200 and "Type the" not in asked.content.decode()
    reason = {"reason": "The owner misses a sentence."}
    assert client.post(f"/admin/instructions/instruction/{document.pk}/do/read/", reason).status_code == 302
    assert document.job.events.latest("id").data == reason
    assert "Type the" in client.get(page(document, "?before=1&after=2")).content.decode()


def test_an_auditor_is_shown_no_words(document: Instruction) -> None:
    client = signed_in("view_job", "view_instruction", "view_instructionversion")
    open_for_support(document.job)
    shown = client.get(page(document, "?before=1&after=2")).content.decode()
    assert "Type the" not in shown and "/do/read/" not in shown


def test_who_may_not_see_documents_finds_no_page(document: Instruction) -> None:
    assert signed_in("view_job", "read_content").get(page(document)).status_code == 404
    assert Client().get(page(document)).status_code == 302


@pytest.mark.parametrize(
    "query", ["?before=0", "?before=9&after=1", "?after=x", "?before=", "?after=9999999999999"]
)
def test_a_version_that_is_not_there_is_said(document: Instruction, query: str) -> None:
    client = signed_in(*MAY)
    open_for_support(document.job)
    answer = client.get(page(document, query))
    assert answer.status_code == 200 and "versions-wrong" in answer.content.decode()
    assert "difference" not in answer.context


@pytest.mark.parametrize(
    ("limit", "most", "number", "said"),
    [
        ("MAX_CHANGES", 1, 1, "2 blocks differ; the first 1 are shown"),
        ("MAX_CHARACTERS", 0, 0, "2 blocks differ, too long to be shown here"),
    ],
)
def test_a_page_shows_so_much_and_says_so(
    document: Instruction, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, number: int, said: str
) -> None:
    monkeypatch.setattr(comparison, limit, most)
    client = signed_in(*MAY)
    open_for_support(document.job)
    shown = client.get(page(document, "?before=1&after=3"))
    assert len(shown.context["difference"].changes) == number
    assert said in shown.content.decode()
