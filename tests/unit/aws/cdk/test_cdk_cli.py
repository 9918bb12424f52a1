"""Running the CDK CLI with the Node that a wheel brings, with a small script in its place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from centralized_ml_api.aws.cdk.cdk_cli import CDK_VERSION, CdkCli, find_node, provide_cdk, run_cdk
from centralized_ml_api.aws.failures.explain import build_cdk_error
from centralized_ml_api.errors import DeployError

ECHO = """
const path = require("path"), env = process.env;
console.log(`told: ${process.argv.slice(2).join(" ")}`);
const first = env.PATH.startsWith(path.dirname(process.execPath));
console.log(`node: ${env.JSII_NODE === process.execPath}, ${first}`);
console.log(`quiet: ${env.CDK_DISABLE_CLI_TELEMETRY}, region: ${env.AWS_REGION}, in ${process.cwd()}`);
console.error("Überraschung");
process.exit(3);
"""


def install(folder: Path, script: str = "") -> Path:
    """A CDK CLI that is this script."""
    file = folder / "node_modules/aws-cdk/bin/cdk"
    file.parent.mkdir(parents=True)
    file.write_text(script, encoding="utf-8")
    return file


def test_it_runs_in_the_project_and_all_it_says_is_kept_and_passed_on(tmp_path: Path) -> None:
    cli = CdkCli(find_node(), install(tmp_path, ECHO))
    log, lines = tmp_path / "state/cdk.log", list[str]()
    region = {"AWS_REGION": "eu-west-1"}
    run = run_cdk(
        cli, ["deploy", "My Stack"], folder=tmp_path, log=log, environment=region, on_line=lines.append
    )
    assert run.status == 3
    assert lines == [
        "told: deploy My Stack --no-color",
        "node: true, true",
        f"quiet: true, region: eu-west-1, in {tmp_path}",
        "Überraschung",
    ]
    assert log.read_text(encoding="utf-8") == run.text == "\n".join([*lines, ""])


def test_the_log_holds_all_runs(tmp_path: Path) -> None:
    cli = CdkCli(find_node(), install(tmp_path, "console.log('one run')"))
    for _ in range(2):
        run_cdk(cli, ["diff"], folder=tmp_path, log=tmp_path / "cdk.log")
    assert (tmp_path / "cdk.log").read_text(encoding="utf-8") == "one run\none run\n"


@pytest.mark.parametrize("stops", [False, True])
def test_what_it_leaves_among_temporary_files_is_removed(tmp_path: Path, *, stops: bool) -> None:
    script = """
    const made = require("fs").mkdtempSync(require("path").join(require("os").tmpdir(), "left-"));
    console.log(made);
    if (process.argv.includes("--long")) setInterval(() => {}, 1000);
    """
    cli, state, made = CdkCli(find_node(), install(tmp_path, script)), tmp_path / "state", list[Path]()

    def note(line: str) -> None:
        made.append(Path(line))
        assert made[0].is_dir()
        if stops:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) if stops else contextlib.nullcontext():
        long = ["--long"] if stops else []
        run_cdk(cli, ["diff", *long], folder=tmp_path, log=state / "cdk.log", on_line=note)
    assert made[0].is_relative_to(state.resolve())
    assert [path.name for path in state.iterdir()] == ["cdk.log"]


def test_only_its_owner_may_read_the_log(tmp_path: Path) -> None:
    cli = CdkCli(find_node(), install(tmp_path, "console.log('one run')"))
    run_cdk(cli, ["diff"], folder=tmp_path, log=tmp_path / "state/cdk.log")
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_the_projects_own_cdk_comes_before_the_state_folders(tmp_path: Path) -> None:
    project, state = install(tmp_path / "project"), install(tmp_path / "state")
    said = list[str]()
    assert provide_cdk(tmp_path / "project", tmp_path / "state", said.append).script == project
    assert provide_cdk(tmp_path / "elsewhere", tmp_path / "state", said.append).script == state
    assert said == [], "nothing is fetched when there is one"


def test_where_npm_is_not_reached_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    said = list[str]()
    with pytest.raises(DeployError, match="npm could not install the CDK CLI") as caught:
        provide_cdk(tmp_path / "project", tmp_path / "state", said.append)
    assert said == [f"Installing the CDK CLI {CDK_VERSION} from npm (once)"]
    assert "npm config list" in caught.value.fix


def test_a_failure_is_explained_from_the_stack_before_the_cdk(tmp_path: Path) -> None:
    reasons = ["Model1 (AWS::SageMaker::Model): Caller is not subscribed to the marketplace offering."]
    error = build_cdk_error("deploying S failed", "ROLLBACK_COMPLETE", reasons, tmp_path / "cdk.log")
    assert (
        error.message
        == f"deploying S failed: this account has no subscription to the model package\n  {reasons[0]}"
    )
    assert "read: docs/how-to/troubleshoot-aws.md#not-subscribed" in error.fix
    assert error.fix.endswith(f"log: {tmp_path / 'cdk.log'}")


def test_what_nobody_knows_is_shown_with_the_last_lines_of_the_log(tmp_path: Path) -> None:
    text = "\n".join(f"line {number}" for number in range(9))
    error = build_cdk_error("deploying S failed", text, [], tmp_path / "cdk.log")
    assert error.message.splitlines()[1:] == [f"  line {number}" for number in range(4, 9)]
    assert "#something-else" in error.fix
