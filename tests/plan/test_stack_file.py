import json
import re
from pathlib import Path

import pytest

from plan.refused import Refused
from plan.stack_file import path_of, project_beside, read_stack, stack_names


def project(root: Path, stack_file: str, stack: str = "dev") -> Path:
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (root / f"Pulumi.{stack}.yaml").write_text(stack_file)
    return root


def sentences(root: Path, stack: str = "dev") -> tuple[str, ...]:
    with pytest.raises(Refused) as caught:
        read_stack(root, stack)
    assert all(
        sentence.endswith(".") and "\n" not in sentence for sentence in caught.value.sentences
    )
    return caught.value.sentences


@pytest.mark.parametrize(
    ("written", "handed_over"),
    [
        ("cn-beijing", "cn-beijing"),
        ("3", "3"),
        ("1.30", "1.3"),
        ("true", "true"),
        ("'true'", "true"),
        ("null", ""),
        ("{a: [1, x]}", '{"a": [1, "x"]}'),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22 00:00:00 +0000 UTC"),
        ("'2026-11-22'", "2026-11-22"),
        ("2026-1-2", "2026-01-02 00:00:00 +0000 UTC"),
        ("2026-13-01", "2026-13-01"),
        ("2026-12-01T02:00:00.500+08:00", "2026-12-01 02:00:00.5 +0800 +0800"),
        ("2026-12-01t02:00:00Z", "2026-12-01 02:00:00 +0000 UTC"),
        ("2026-12-01 02:00:00", "2026-12-01 02:00:00 +0000 UTC"),
        ("2026-12-01 02:00:00Z", "2026-12-01 02:00:00Z"),
        ("2026-12-01T02:00:00", "2026-12-01T02:00:00"),
        ("2.0", "2"),
        ("08", "8"),
        ("010", "8"),
        ("0o10", "8"),
        ("1_0", "10"),
        ("0x1_F", "31"),
        ("0b11", "3"),
        ("+7", "7"),
        ("1e3", "1000"),
        ("1_0.5", "10.5"),
        ("1e400", "1e400"),
        ("{2026-11-22: a}", '{"2026-11-22 00:00:00 +0000 UTC": "a"}'),
        ("[on, 12:30]", '["on", "12:30"]'),
    ],
)
def test_a_value_reaches_the_program_as_the_engine_would_hand_it_over(
    tmp_path: Path, written: str, handed_over: str
) -> None:
    file = read_stack(project(tmp_path, f"config:\n  shop:key: {written}\n"), "dev")
    assert file.config == {"shop:key": handed_over}
    assert (file.project, file.stack, file.secret_keys) == ("shop", "dev", frozenset())


@pytest.mark.parametrize("text", ["", "config:\n", "encryptionsalt: v1:abc\n"])
def test_a_stack_file_may_have_no_configuration(tmp_path: Path, text: str) -> None:
    assert read_stack(project(tmp_path, text), "dev").config == {}


def test_a_secret_gives_way_to_a_placeholder(tmp_path: Path) -> None:
    file = read_stack(project(tmp_path, "config:\n  shop:t: {secure: v1:CIPHER}\n"), "dev")
    assert re.fullmatch(r"\[secret [0-9a-f]{12}\]", file.config["shop:t"])
    assert file.secret_keys == {"shop:t"}


def test_the_placeholder_of_a_secret_changes_with_its_cipher_only(tmp_path: Path) -> None:
    def placeholder(cipher: str) -> str:
        text = f"config:\n  shop:t: {{secure: {cipher}}}\n"
        return read_stack(project(tmp_path, text), "dev").config["shop:t"]

    assert placeholder("v1:ONE") == placeholder("v1:ONE") != placeholder("v1:TWO")


def test_a_secret_inside_an_object_makes_the_whole_key_secret(tmp_path: Path) -> None:
    text = "config:\n  shop:login: {user: ops, keys: [{secure: v1:CIPHER}]}\n  shop:a: b\n"
    file = read_stack(project(tmp_path, text), "dev")
    login = json.loads(file.config["shop:login"])
    assert login["user"] == "ops"
    assert login["keys"][0].startswith("[secret ")
    assert file.secret_keys == {"shop:login"}


def test_an_object_that_only_has_a_key_called_secure_among_others_is_no_secret(
    tmp_path: Path,
) -> None:
    text = "config:\n  shop:tls: {secure: yes, port: 443}\n"
    assert read_stack(project(tmp_path, text), "dev").secret_keys == frozenset()


def test_keys_of_other_namespaces_are_handed_over_as_they_are(tmp_path: Path) -> None:
    text = "config:\n  alicloud:region: cn-beijing\n  shopp:region: x\n"
    assert set(read_stack(project(tmp_path, text), "dev").config) == {
        "alicloud:region",
        "shopp:region",
    }


def test_a_key_of_the_old_long_form_means_the_short_one(tmp_path: Path) -> None:
    file = read_stack(project(tmp_path, "config:\n  shop:config:region: x\n"), "dev")
    assert file.config == {"shop:region": "x"}


def test_a_stack_without_a_file_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    project(tmp_path, "config:\n")
    project(tmp_path, "config:\n", stack="prod")
    assert sentences(tmp_path, "prd") == (
        "Pulumi.prd.yaml does not exist. Did you mean 'prod'? The stacks here are dev, prod.",
    )


def test_a_stack_without_a_file_is_refused_where_there_is_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    [sentence] = sentences(tmp_path)
    assert sentence == "Pulumi.dev.yaml does not exist. There is no other stack file."


@pytest.mark.parametrize("stack", ["../dev", "a/b", "a\\b", "", "x" * 101])
def test_a_stack_is_a_name_and_not_a_path(tmp_path: Path, stack: str) -> None:
    [sentence] = sentences(project(tmp_path, "config:\n"), stack)
    assert "is not the name of a stack" in sentence


def test_a_folder_without_a_project_file_is_refused(tmp_path: Path) -> None:
    [sentence] = sentences(tmp_path)
    assert sentence.startswith("Pulumi.yaml does not exist")
    assert "--project" in sentence


def test_a_project_without_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    [sentence] = sentences(tmp_path)
    assert sentence == "Pulumi.yaml: name must be the name of the project, as text."


def test_the_project_file_gives_what_the_stack_file_leaves_out(tmp_path: Path) -> None:
    project(tmp_path, "config:\n  shop:size: 3\n")
    (tmp_path / "Pulumi.yaml").write_text(
        "name: shop\nconfig:\n"
        "  size: 1\n"
        "  region: {type: string, default: cn-beijing}\n"
        "  shop:zone: {value: h}\n"
        "  shop:wanted: {type: string}\n"
    )
    assert read_stack(tmp_path, "dev").config == {
        "shop:size": "3",
        "shop:region": "cn-beijing",
        "shop:zone": "h",
    }


def test_a_project_config_that_is_no_section_is_refused(tmp_path: Path) -> None:
    project(tmp_path, "")
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nconfig: [dev]\n")
    assert sentences(tmp_path) == ("Pulumi.yaml: config must be a section of keys and values.",)


def test_what_is_not_yaml_is_refused_by_line_and_column(tmp_path: Path) -> None:
    [sentence] = sentences(project(tmp_path, "config:\n  shop:a: [1, 2\n  shop:b: 3\n"))
    assert sentence.startswith("Pulumi.dev.yaml, line 3, column 9: ")


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (project(tmp_path, "") / "Pulumi.dev.yaml").write_bytes(b"config: \xff\n")
    [sentence] = sentences(tmp_path)
    assert sentence == "Pulumi.dev.yaml, line 1: this is no text in UTF-8."


def test_a_tab_is_told_to_be_one(tmp_path: Path) -> None:
    sentence = "Pulumi.dev.yaml, line 2, column 1: here is a tab, and YAML is indented by blanks."
    assert sentences(project(tmp_path, "config:\n\tshop:a: 1\n")) == (sentence,)


def test_keys_below_the_name_of_the_project_are_told_to_stand_beside_it(tmp_path: Path) -> None:
    [sentence] = sentences(project(tmp_path, "config:\n  shop: {region: x}\n"))
    assert sentence.endswith("must read <namespace>:<name>, such as shop:region.")


@pytest.mark.parametrize("stack", ["Pulumi.dev.yaml", "dev.yaml", "Pulumi.dve"])
def test_the_name_of_a_file_is_taken_for_that_of_its_stack(tmp_path: Path, stack: str) -> None:
    [sentence] = sentences(project(tmp_path, ""), stack)
    assert "Did you mean 'dev'?" in sentence


def test_a_path_to_a_stack_file_names_the_stack(tmp_path: Path) -> None:
    [sentence] = sentences(project(tmp_path, ""), "./Pulumi.dev.yaml")
    assert sentence.endswith("Give 'dev': that is the stack of this file.")


def test_a_folder_called_like_a_stack_file_is_no_stack(tmp_path: Path) -> None:
    (project(tmp_path, "") / "Pulumi.prod.yaml").mkdir()
    assert stack_names(tmp_path) == ["dev"]


@pytest.mark.parametrize(
    "text",
    [
        "config:\n  shop:a: 1\n  shop:a: 2\n",
        "config:\n  shop:list:\n    - {name: x}\n    - {name: x, size: 1, name: y}\n",
        "config: {}\nconfig: {}\n",
    ],
)
def test_a_key_given_twice_is_refused_at_any_depth(tmp_path: Path, text: str) -> None:
    [sentence] = sentences(project(tmp_path, text))
    assert "already; keep one of the two" in sentence


def test_a_key_given_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    [sentence] = sentences(project(tmp_path, "config:\n  shop:a: 1\n  shop:b: 1\n  shop:a: 2\n"))
    assert sentence == (
        "Pulumi.dev.yaml, line 4, column 3: shop:a was given in line 2 already; "
        "keep one of the two."
    )


def test_a_merge_key_may_override_what_it_merges(tmp_path: Path) -> None:
    text = "config:\n  shop:a: &base {x: 1, y: 1}\n  shop:b: {<<: *base, y: 2}\n"
    file = read_stack(project(tmp_path, text), "dev")
    assert file.config["shop:b"] == '{"x": 1, "y": 2}'


@pytest.mark.parametrize("section", ["text", "[1, 2]"])
def test_a_config_that_is_no_section_is_refused(tmp_path: Path, section: str) -> None:
    [sentence] = sentences(project(tmp_path, f"config: {section}\n"))
    assert "must be a section of keys and values, such as shop:region" in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "shop:region: x\n",
            "shop:region stands at the top, but it must stand below config: Pulumi reads it there.",
        ),
        (
            "configs:\n  shop:region: x\n",
            "configs is no key of a stack file, but it must be config.",
        ),
    ],
)
def test_a_configuration_at_another_place_is_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    assert sentences(project(tmp_path, text)) == (f"Pulumi.dev.yaml: {sentence}",)


@pytest.mark.parametrize(("text", "content"), [("- 1\n", "a list"), ("hello\n", "only 'hello'")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, content: str) -> None:
    [sentence] = sentences(project(tmp_path, text))
    assert sentence.startswith(f"Pulumi.dev.yaml holds {content}, but")


def test_every_key_without_a_namespace_is_refused_with_the_one_to_write(tmp_path: Path) -> None:
    text = "config:\n  region: x\n  shop:a: 1\n  7: x\n  a:b:c: x\n"
    assert sentences(project(tmp_path, text)) == (
        "Pulumi.dev.yaml: 'region' under config must read <namespace>:<name>, such as shop:region.",
        "Pulumi.dev.yaml: 7 under config must read <namespace>:<name>, such as shop:7.",
        "Pulumi.dev.yaml: 'a:b:c' under config must read <namespace>:<name>, such as shop:c.",
    )


def test_the_whole_refusal_names_the_file_first(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^Pulumi\.dev\.yaml is refused:\n  Pulumi\.dev\.yaml: "):
        read_stack(project(tmp_path, "config:\n  region: x\n"), "dev")


@pytest.mark.parametrize("key", ["stackConfigDir", "config"])
def test_stack_files_lie_in_the_folder_that_the_project_names(tmp_path: Path, key: str) -> None:
    """`config` with text is what the engine called it before."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop\nruntime: python\n{key}: stacks/live\n")
    (tmp_path / "Pulumi.old.yaml").write_text("config: {shop:key: old}\n")
    folder = tmp_path / "stacks" / "live"
    folder.mkdir(parents=True)
    (folder / "Pulumi.dev.yaml").write_text("config: {shop:key: new}\n")
    assert stack_names(tmp_path) == ["dev"]
    assert path_of(tmp_path, "new") == folder / "Pulumi.new.yaml"
    assert read_stack(tmp_path, "dev").config == {"shop:key": "new"}
    assert sentences(tmp_path, "old") == (
        "stacks/live/Pulumi.old.yaml does not exist. The stacks here are dev.",
    )


def test_an_absolute_folder_of_stack_files_lies_below_the_project(tmp_path: Path) -> None:
    """So does the engine's ProjectStackPath, which joins the two."""
    folder = tmp_path / "live"
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\nstackConfigDir: /live\n")
    assert path_of(tmp_path, "dev") == folder / "Pulumi.dev.yaml"


@pytest.mark.parametrize("ending", ["yml", "json"])
def test_a_file_with_another_ending_is_told_to_be_renamed(tmp_path: Path, ending: str) -> None:
    root = project(tmp_path, "")
    (root / f"Pulumi.live.{ending}").write_text("{}")
    assert sentences(root, "live") == (
        f"Pulumi.live.yaml does not exist. Pulumi.live.{ending} is there: rename it, since the "
        "engine reads stack files with the ending of Pulumi.yaml alone.",
    )
    (root / "Pulumi.yaml").rename(root / f"Pulumi.{ending}")
    assert sentences(root, "dev") == (
        f"Pulumi.yaml does not exist in it, and Pulumi.{ending} is not read here: rename it, and "
        "the stack files with it, which the engine reads with the same ending.",
    )


def test_a_project_says_no_folder_where_its_stack_file_lies_beside_it(tmp_path: Path) -> None:
    text = "name: shop\nruntime: python\nstackConfigDir: stacks\nconfig: {a: {default: 1}}\n"
    (tmp_path / "Pulumi.yaml").write_text(text)
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "Pulumi.yaml").write_text(project_beside(tmp_path))
    (beside / "Pulumi.dev.yaml").write_text("")
    assert read_stack(beside, "dev").config == {"shop:a": "1"}
    (tmp_path / "Pulumi.yaml").write_text("name: shop # ours\n")
    assert project_beside(tmp_path) == "name: shop # ours\n"


def test_a_stack_by_its_name_at_a_backend_is_told_by_which_it_is_known_here(tmp_path: Path) -> None:
    assert sentences(project(tmp_path, ""), "acme/shop/dev") == (
        "'acme/shop/dev' is not the name of a stack: it may hold letters, digits, '-', '_' and "
        "'.', and no folder. Give 'dev': what stands before it is of the backend.",
    )
