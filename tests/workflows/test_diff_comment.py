"""How the report of a stranger becomes a comment. The GitHub is a list of answers."""

import base64
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .node import REPO, Call, changes, needs_node, run

MARK = "<!-- ack-inference diff -->"
BOT = "github-actions[bot]"
SHA = "0123456789abcdef0123456789abcdef01234567"
RUN = {
    "id": 11,
    "conclusion": "success",
    "head_sha": SHA,
    "head_branch": "more-gpus",
    "head_repository": {"id": 5, "owner": {"login": "stranger"}},
    "html_url": "https://github.com/team/inference/actions/runs/11",
    "pull_requests": [],
}
PULL = {"number": 42, "head": {"sha": SHA, "repo": {"id": 5}}}

pytestmark = [
    needs_node,
    pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed."),
]


def packed(text: str | bytes | None, name: str = "diff.md", mode: int = 0o100644) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if text is not None:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return base64.b64encode(buffer.getvalue()).decode()


def called(folder: Path, report: str | None = "No stack changes.", /, **changed: Any) -> list[Call]:
    """What is called for a run; `changed` are fields of it, or answers where the key has a dot."""
    answers: Mapping[str, Any] = {
        "pulls.list": [PULL],
        "actions.listWorkflowRunArtifacts": {"artifacts": [{"id": 1, "size_in_bytes": 100}]},
        "actions.downloadArtifact": packed(report),
        "issues.listComments": [],
        **{key: value for key, value in changed.items() if "." in key},
    }
    fields = {key: value for key, value in changed.items() if "." not in key}
    return run(
        "diff-comment.yml", folder, answers, {"payload": {"workflow_run": {**RUN, **fields}}}
    )


def written(calls: list[Call]) -> str:
    [(_, request)] = changes(calls)
    return str(request["body"])


def test_the_first_report_is_a_new_comment(tmp_path: Path):
    [(name, request)] = changes(called(tmp_path, "| a | b |"))
    assert name == "issues.createComment"
    assert {**REPO, "issue_number": 42}.items() <= request.items()
    assert request["body"].startswith(f"{MARK}\n| a | b |\n")
    assert "Written by the code of this pull request at 01234567" in request["body"]


def test_the_next_report_takes_the_place_of_the_first(tmp_path: Path):
    comments = [
        {"id": 1, "user": {"login": "reviewer"}, "body": "When?"},
        {"id": 2, "user": {"login": BOT}, "body": f"{MARK}\nold"},
    ]
    [(name, request)] = changes(called(tmp_path, "new", **{"issues.listComments": comments}))
    assert (name, request["comment_id"]) == ("issues.updateComment", 2)
    assert "new" in request["body"]


def test_a_comment_of_somebody_else_is_never_changed(tmp_path: Path):
    planted = {"id": 1, "user": {"login": "stranger"}, "body": f"{MARK}\nmine"}
    quoted = {"id": 2, "user": {"login": BOT}, "body": f"> {MARK}"}
    ghost = {"id": 3, "user": None, "body": MARK}
    comments = [planted, quoted, ghost]
    [(name, _)] = changes(called(tmp_path, **{"issues.listComments": comments}))
    assert name == "issues.createComment"


def test_the_pull_request_is_looked_up_by_its_head(tmp_path: Path):
    calls = called(tmp_path)
    assert calls[0] == ("pulls.list", {**REPO, "state": "open", "head": "stranger:more-gpus"})


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [{**PULL, "head": {**PULL["head"], "sha": "f" * 40}}],
        [{**PULL, "head": {**PULL["head"], "repo": {"id": 6}}}],
        [{**PULL, "head": {**PULL["head"], "repo": None}}],
        [PULL, {**PULL, "number": 43}],
    ],
    ids=["none", "newer commit", "other repository", "deleted fork", "two of them"],
)
def test_nothing_is_written_unless_one_pull_request_has_that_head(
    pulls: list[dict[str, Any]], tmp_path: Path
):
    calls = called(tmp_path, **{"pulls.list": pulls})
    assert changes(calls) == []
    assert calls[-1][0] == "notice"


def test_nothing_is_written_for_a_fork_that_is_gone(tmp_path: Path):
    assert [name for name, _ in called(tmp_path, head_repository=None)] == ["notice"]


def test_a_number_in_the_run_or_in_the_report_is_not_believed(tmp_path: Path):
    calls = called(tmp_path, "number: 1", pull_requests=[{"number": 1}])
    assert changes(calls)[0][1]["issue_number"] == 42


@pytest.mark.parametrize("conclusion", ["failure", "timed_out"])
def test_a_failed_comparison_says_so_above_what_it_wrote(conclusion: str, tmp_path: Path):
    body = written(called(tmp_path, "Pulumi.prod.yaml is refused:", conclusion=conclusion))
    sentence = f"**The comparison of 01234567 failed**: see [its log]({RUN['html_url']})."
    assert body.splitlines()[1:4] == [sentence, "", "Pulumi.prod.yaml is refused:"]


def test_a_comparison_that_left_nothing_says_so(tmp_path: Path):
    calls = called(
        tmp_path,
        conclusion="failure",
        **{"actions.listWorkflowRunArtifacts": {"artifacts": []}},
    )
    assert "failed" in written(calls)
    assert "It left no text that fits here." in written(calls)


def test_an_artifact_that_is_too_large_is_not_even_fetched(tmp_path: Path):
    artifacts = [{"id": 1, "size_in_bytes": 2**20 + 1}]
    calls = called(tmp_path, **{"actions.listWorkflowRunArtifacts": {"artifacts": artifacts}})
    assert "actions.downloadArtifact" not in dict(calls)
    assert "It left no text that fits here." in written(calls)


def test_the_newest_artifact_counts_after_a_run_was_repeated(tmp_path: Path):
    artifacts = [{"id": number, "size_in_bytes": 100} for number in (1, 3, 2)]
    calls = called(tmp_path, **{"actions.listWorkflowRunArtifacts": {"artifacts": artifacts}})
    assert dict(calls)["actions.downloadArtifact"]["artifact_id"] == 3


@pytest.mark.parametrize(
    "archive",
    [
        packed(b"\0" * 2**24),
        packed("text", name="../diff.md"),
        packed(None),
        base64.b64encode(b"no archive").decode(),
    ],
    ids=["bomb", "other folder", "empty", "no archive"],
)
def test_an_archive_that_is_not_what_diff_makes_is_refused(archive: str, tmp_path: Path):
    calls = called(tmp_path, **{"actions.downloadArtifact": archive})
    assert "It left no text that fits here." in written(calls)
    assert any(name == "warning" for name, _ in calls)
    assert [path.name for path in tmp_path.rglob("*")] == ["diff.zip"]


def test_a_link_in_the_archive_is_not_followed(tmp_path: Path):
    link = packed("/etc/hostname", mode=0o120777)
    assert "/etc/hostname" in written(called(tmp_path, **{"actions.downloadArtifact": link}))


def test_a_report_that_github_would_not_take_is_cut_off(tmp_path: Path):
    body = written(called(tmp_path, "ä" * 70_000))
    assert len(body) < 65_536
    assert "... cut off here." in body


@pytest.mark.parametrize("text", ["@team/owners look", "look, @owner", "(@owner)"])
def test_a_report_calls_nobody(text: str, tmp_path: Path):
    body = written(called(tmp_path, text))
    assert text not in body
    assert text in body.replace("@\u200b", "@")


def test_the_digest_of_an_image_stays_as_it_is(tmp_path: Path):
    assert "vllm@sha256:0a1b" in written(called(tmp_path, "image: vllm@sha256:0a1b"))


@pytest.mark.parametrize(
    "text", ["${{ secrets.A }}", "`$(touch owned)`", "';touch owned;'", "$1$&"]
)
def test_a_report_is_text_and_nothing_else(text: str, tmp_path: Path):
    assert text in written(called(tmp_path, text))
    assert not (tmp_path / "owned").exists()
