from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.facts import DeployFacts, Eula, ModelData
from support.synthesis import BUCKET, IMAGE, PACKAGE, build_facts, container, model, package

if TYPE_CHECKING:
    from support.synthesis import Config, Deploys

MODEL = "AWS::SageMaker::Model"
CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"


def test_a_jumpstart_model_has_the_image_artifacts_and_environment_of_its_facts(template_of: Deploys) -> None:
    found = template_of(model(environment={"MINE": "1"})).only(MODEL)
    assert found["PrimaryContainer"] == {
        "Image": IMAGE,
        "Environment": {"SM_NUM_GPUS": "1", "MINE": "1"},
        "ModelDataSource": {
            "S3DataSource": {
                "S3Uri": f"s3://{BUCKET}/tiny/prepack/",
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
            }
        },
    }
    assert found["EnableNetworkIsolation"] is False


def test_a_tarball_is_named_by_its_address(template_of: Deploys) -> None:
    facts = build_facts(
        model_data=ModelData(f"s3://{BUCKET}/tiny.tar.gz", None, None), network_isolation=True
    )
    found = template_of(model(), facts=facts).only(MODEL)
    assert found["PrimaryContainer"]["ModelDataUrl"] == f"s3://{BUCKET}/tiny.tar.gz"
    assert "ModelDataSource" not in found["PrimaryContainer"]
    assert found["EnableNetworkIsolation"] is True


def test_an_accepted_licence_is_said_with_the_artifacts_and_only_then(template_of: Deploys) -> None:
    gated = build_facts(eula=Eula(required=True, url="https://example.com/eula"))
    accepted = template_of(model(accept_eula=True), facts=gated).only(MODEL)
    source = accepted["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["ModelAccessConfig"] == {"AcceptEula": True}
    free = template_of(model(accept_eula=True)).only(MODEL)
    assert "ModelAccessConfig" not in free["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]


def test_a_package_stands_alone_and_isolated(template_of: Deploys) -> None:
    found = template_of(package()).only(MODEL)
    assert found["PrimaryContainer"] == {"ModelPackageName": PACKAGE}
    assert found["EnableNetworkIsolation"] is True


def test_a_package_of_jumpstart_is_one_too(template_of: Deploys) -> None:
    facts = build_facts(model_package_arn=PACKAGE, image=None, model_data=None, environment={})
    found = template_of(model(), facts=facts).only(MODEL)
    assert found["PrimaryContainer"] == {"ModelPackageName": PACKAGE}
    assert found["EnableNetworkIsolation"] is True


def test_an_own_container_unpacks_an_archive_and_takes_a_folder_as_it_is(template_of: Deploys) -> None:
    folder = container("b", model_data="s3://mine/folder/", environment={"A": "1"})
    archived, plain = template_of(container("a"), folder).of_type(MODEL)
    assert archived["PrimaryContainer"]["ModelDataUrl"] == "s3://mine/a.tar.gz"
    assert plain["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3DataType"] == "S3Prefix"
    assert plain["PrimaryContainer"]["Environment"] == {"A": "1"}


def test_an_own_container_needs_no_artifacts(template_of: Deploys) -> None:
    found = template_of(container(model_data=None)).only(MODEL)
    assert set(found["PrimaryContainer"]) == {"Image"}


def test_what_the_config_says_of_machines_goes_before_the_facts_and_stands_for_own_images(
    template_of: Deploys,
) -> None:
    said: Config = {
        "inference_ami": "al2-ami-sagemaker-inference-gpu-3-1",
        "startup_timeout": 1800,
        "download_timeout": 2400,
        "volume_gib": 300,
        "instance": "ml.p3.2xlarge",
    }
    facts = build_facts(deploy=DeployFacts(1200, 900, 256, "al2-ami-sagemaker-inference-gpu-2"))
    models = (model("jump", **said), container("own", **said), package("bought", **said))
    for config in template_of(*models, facts=facts).of_type(CONFIG):
        (variant,) = config["ProductionVariants"]
        assert variant["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"
        assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 1800
        assert variant["ModelDataDownloadTimeoutInSeconds"] == 2400
        assert variant["VolumeSizeInGB"] == 300


def test_timeouts_volume_and_machine_image_come_from_the_facts(template_of: Deploys) -> None:
    facts = build_facts(deploy=DeployFacts(1200, 900, 256, "al2-ami-sagemaker-inference-gpu-2"))
    (variant,) = template_of(model(), facts=facts).only(CONFIG)["ProductionVariants"]
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 1200
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 900
    assert variant["VolumeSizeInGB"] == 256
    assert variant["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-2"


def test_what_the_facts_leave_open_is_sagemakers_default(template_of: Deploys) -> None:
    (variant,) = template_of(model()).only(CONFIG)["ProductionVariants"]
    assert set(variant) == {
        "VariantName",
        "ModelName",
        "InstanceType",
        "InitialInstanceCount",
        "InitialVariantWeight",
    }


def test_several_instance_types_are_a_pool_in_their_order(template_of: Deploys) -> None:
    entry = package(instance=None, instances=["ml.g5.4xlarge", "ml.g5.2xlarge"])
    (variant,) = template_of(entry).only(CONFIG)["ProductionVariants"]
    assert variant["InstancePools"] == [
        {"InstanceType": "ml.g5.4xlarge", "Priority": 1},
        {"InstanceType": "ml.g5.2xlarge", "Priority": 2},
    ]
    assert variant["VariantInstanceProvisionTimeoutInSeconds"] == 3600, "over all types together"
    assert "InstanceType" not in variant


def test_nothing_has_a_fixed_name(template_of: Deploys) -> None:
    template = template_of(model(), package(), container())
    for kind, name in ((MODEL, "ModelName"), (CONFIG, "EndpointConfigName"), (ENDPOINT, "EndpointName")):
        assert not [resource for resource in template.of_type(kind) if name in resource]
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::Lambda::Function", "AWS::Logs::LogGroup"):
        names = {"RoleName", "ManagedPolicyName", "FunctionName", "LogGroupName"}
        assert not [resource for resource in template.of_type(kind) if names & set(resource)]


def test_an_unscaled_model_is_three_resources(template_of: Deploys) -> None:
    one, two = (
        len(template_of(*models).resources) for models in ((package("a"),), (package("a"), package("b")))
    )
    assert two - one == 3


def test_an_existing_endpoint_is_called_and_not_made(template_of: Deploys) -> None:
    adopted = {"name": "old", "endpoint_name": "Old-Endpoint", "integration": {"type": "api"}}
    template = template_of(endpoints=[adopted])
    assert not template.of_type(ENDPOINT)
    assert "/endpoints/Old-Endpoint/invocations" in str(template.api["paths"]["/old"]["post"])
    assert "endpoint/old-endpoint" in str(template.of_type("AWS::IAM::ManagedPolicy"))
