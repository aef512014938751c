import sys
from pathlib import Path

import pytest

from plan.model import SECRET, UNKNOWN, Plan
from plan.refused import Refused
from plan.run import plan


def project(root: Path, program: str) -> Path:
    (root / "Pulumi.yaml").write_text("name: shop\n")
    (root / "Pulumi.dev.yaml").write_text("config:\n  shop:token: {secure: CIPHER}\n")
    (root / "__main__.py").write_text(program)
    return root


def test_every_registration_of_the_program_is_in_the_plan(example: Plan) -> None:
    [cluster] = example.of("alicloud:cs/managedKubernetes:ManagedKubernetes")
    [component] = example.of("example:index:Cluster")
    assert cluster.parent == component.urn
    assert cluster.protect
    assert len(example.resources) == 18


def test_an_id_that_only_the_cloud_can_give_is_unknown(example: Plan) -> None:
    pools = example.of("alicloud:cs/nodePool:NodePool")
    assert [pool.inputs["clusterId"] for pool in pools] == [UNKNOWN, UNKNOWN]


def test_what_a_program_logs_as_a_warning_is_in_the_plan(example: Plan) -> None:
    assert sorted(example.warnings) == [
        "The API endpoint is private, so pulumi up has to run inside the VPC.",
        "The cluster keeps one node awake.",
    ]


def test_a_secret_of_the_stack_file_stays_one_wherever_the_program_takes_it(example: Plan) -> None:
    assert example.outputs["token"] == SECRET
    assert example.outputs["login"] == SECRET
    pools = example.of("alicloud:cs/nodePool:NodePool")
    assert SECRET in [pool.inputs.get("password") for pool in pools]


def test_the_program_runs_in_its_folder_and_imports_from_it(tmp_path: Path) -> None:
    module = "from pathlib import Path\nBUCKET = Path('bucket.txt').read_text()"
    (tmp_path / "beside_the_program.py").write_text(module)
    (tmp_path / "bucket.txt").write_text("llm")
    program = "import pulumi, beside_the_program as b\npulumi.export('bucket', b.BUCKET)"
    before = sys.path[:], Path.cwd()
    assert plan("dev", project(tmp_path, program)).outputs == {"bucket": "llm"}
    assert (sys.path[:], Path.cwd()) == before


@pytest.mark.parametrize("main", ["app", "app/__main__.py"])
def test_a_project_whose_program_lies_elsewhere_is_refused(tmp_path: Path, main: str) -> None:
    root = project(tmp_path, "import pulumi\npulumi.export('x', 1)")
    (root / "Pulumi.yaml").write_text(f"name: shop\nmain: {main}\n")
    with pytest.raises(Refused, match=rf"main of Pulumi\.yaml is '{main}', but it must be left"):
        plan("dev", root)
    for same in (".", "__main__.py", "./"):
        (root / "Pulumi.yaml").write_text(f"name: shop\nmain: {same}\n")
        assert plan("dev", root).outputs == {"x": 1}


def test_settings_of_default_providers_are_said_to_be_unread(tmp_path: Path) -> None:
    root = project(tmp_path, "")
    said = "config:\n  alicloud:region: cn-shanghai\n  kubernetes:context: a\n  aws:region: b\n"
    (root / "Pulumi.dev.yaml").write_text(f"{said}  ack-inference:region: cn-beijing\n")
    assert plan("dev", root).warnings == [
        "Pulumi.dev.yaml sets alicloud:region, which the stack's own provider does not read: it "
        "takes its region from ack-inference:region, and credentials from the environment, such "
        "as ALICLOUD_ACCESS_KEY and ALICLOUD_SECRET_KEY.",
        "Pulumi.dev.yaml sets kubernetes:context, which the stack's own provider does not read: "
        "it takes the cluster that is created, or that of ack-inference:kubeconfig with "
        "ack-inference:cluster.context.",
    ]
    # Another program may have no provider of its own.
    (root / "Pulumi.dev.yaml").write_text(said)
    assert plan("dev", root).warnings == []


def test_keys_that_pulumi_leaves_out_when_it_writes_the_file_are_warned_of(tmp_path: Path) -> None:
    root = project(tmp_path, "import pulumi\npulumi.export('x', pulumi.Config().require('x'))")
    file = root / "Pulumi.dev.yaml"
    file.write_text("x-server: &server a\nnotes: []\nconfig:\n  shop:x: *server\n")
    planned = plan("dev", root)
    assert planned.outputs == {"x": "a"}
    assert planned.warnings == [
        "Pulumi.dev.yaml has x-server, notes at its top, which `pulumi config set` leaves out when "
        "it writes the file, and what aliases stand for is written in their place: edit the file "
        "by hand, and have it in Git."
    ]
    own = "secretsprovider: a\nencryptedkey: b\nencryptionsalt: c\nenvironment: []\n"
    file.write_text(f"{own}config:\n  shop:x: a\n")
    assert plan("dev", root).warnings == []


def test_what_an_environment_of_esc_adds_is_said_to_be_missing(tmp_path: Path) -> None:
    root = project(tmp_path, "import pulumi\npulumi.Config().require('region')")
    file = root / "Pulumi.dev.yaml"
    for section in ("[shared, team/prod: {merge: false}]", "{imports: [shared, team/prod]}"):
        file.write_text(f"environment: {section}\nconfig:\n  shop:region: a\n")
        [warning] = plan("dev", root).warnings
        assert warning == (
            "Pulumi.dev.yaml imports shared, team/prod of Pulumi ESC, which a plan does not open: "
            "what stands there under pulumiConfig is missing here, and `pulumi up` has it."
        )
    refuses = "import pulumi\nraise pulumi.RunError('Pulumi.dev.yaml is refused:\\n  No region.')"
    (root / "__main__.py").write_text(refuses)
    with pytest.raises(Refused) as caught:
        plan("dev", root)
    assert caught.value.sentences == ("No region.", warning)


def test_what_a_program_prints_does_not_mix_with_the_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan("dev", project(tmp_path, "print('hello')"))
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize("where", ["raise {}", "pulumi.Output.from_input(1).apply(refuse)"])
def test_a_run_error_is_a_refusal_with_one_sentence_per_line(tmp_path: Path, where: str) -> None:
    error = "pulumi.RunError('The stack is refused:\\n  a is 1.\\n  b is 2.')"
    program = f"import pulumi\ndef refuse(_):\n    raise {error}\n{where.format(error)}"
    with pytest.raises(Refused) as caught:
        plan("dev", project(tmp_path, program))
    assert str(caught.value) == "The stack is refused:\n  a is 1.\n  b is 2."
    assert caught.value.__suppress_context__


def test_a_run_error_of_one_line_is_a_refusal_of_the_stack_file(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^Pulumi\.dev\.yaml is refused:\n  region is missing\.$"):
        plan("dev", project(tmp_path, "import pulumi; raise pulumi.RunError('region is missing.')"))


def test_a_run_error_without_a_title_is_a_refusal_line_by_line(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        plan("dev", project(tmp_path, "import pulumi; raise pulumi.RunError('a: 1.\\nb: 2.')"))
    assert caught.value.sentences == ("a: 1.", "b: 2.")


def test_any_other_error_is_ours_and_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        plan("dev", project(tmp_path, "1 / 0"))


def test_a_project_without_a_program_is_refused(tmp_path: Path) -> None:
    (project(tmp_path, "") / "__main__.py").unlink()
    with pytest.raises(Refused, match=r"__main__\.py does not exist"):
        plan("dev", tmp_path)


def test_two_plans_in_one_process_do_not_mix(tmp_path: Path) -> None:
    program = "import pulumi; pulumi.export('stack', pulumi.get_stack())"
    root = project(tmp_path, program)
    (root / "Pulumi.prod.yaml").write_text("config: {}\n")
    assert [plan(stack, root).outputs["stack"] for stack in ("dev", "prod")] == ["dev", "prod"]
