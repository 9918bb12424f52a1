"""Failures of SageMaker while endpoints are made: instances, images, artifacts, licences, scaling."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure

_INFERENCE_CODE = "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"
_VARIANT = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "not-subscribed",
        "this account has no subscription to the model package",
        (r"not subscribed to the marketplace", r"not authorized.*model-package.*subscri"),
        "subscribe to the product on the AWS Marketplace, wait until that is active, then deploy again",
    ),
    Failure(
        "quota",
        "the account's quota is too small for these instances",
        (r"account-level service limit",),
        "request an increase of this quota in Service Quotas, or choose another instance type;"
        " `doctor` shows the quota of each type",
    ),
    Failure(
        "capacity",
        "AWS has no free instance of this type in this region right now",
        (r"insufficientinstancecapacity", r"unable to provision requested ml compute capacity"),
        'list several types with "instances": ["…", "…"], try again later, or deploy to another region',
    ),
    Failure(
        "instance-unsupported",
        "the model or the region does not offer this instance type",
        (
            r"instance type .{0,80}(is not supported|not available)",
            r"does not support instance type",
            r"requested instance type",
        ),
        "choose a type that both the model's page and the region offer",
    ),
    Failure(
        "stuck",
        "a resource was not ready in time, usually a model server",
        (
            r"did not pass the ping health check",
            r"did not respond to the ping",
            r"\b(endpoint|resource)\b.{0,160}(timed out|did not stabilize)",
            r"exceeded attempts to wait",
        ),
        "read the container's log: aws logs tail /aws/sagemaker/Endpoints/<endpoint>",
        docs=_INFERENCE_CODE,
    ),
    Failure(
        "container-start",
        "the image does not start as SageMaker starts it",
        (r"cannotstartcontainererror", r"starts correctly when invoked with 'docker run"),
        "try it on one machine: docker run --platform linux/amd64 IMAGE serve. It needs an executable entry"
        " point that accepts `serve`, and must be built for linux/amd64",
        docs=_INFERENCE_CODE,
    ),
    Failure(
        "model-data",
        "SageMaker cannot read the image or the artifacts",
        (
            r"(could not access|failed to download) model data",
            r"could not find model data",
            r"(image|repository) .{0,160}does not exist",
            r"does not grant ecr:|access denied to registry|not have .{0,60}permission.{0,80}(ecr|image)",
            r"(ensure|make sure) all images included in the model .{0,120} exist",
        ),
        "check that the image and model_data are in this region, and that this account may read them",
    ),
    Failure(
        "foreign-image",
        "SageMaker reads images from Amazon ECR only",
        (r"using non-ecr image",),
        "push the image to Amazon ECR in this region, and write that address as `image`",
        docs="https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html",
    ),
    Failure(
        "image-format",
        "the image has a format that this service does not read",
        (
            r"image manifest, config or layer media type .{0,240}is not supported",
            r"unsupported manifest media type",
        ),
        "build it for one platform and without attestations: docker buildx build --platform linux/amd64"
        " --provenance=false --sbom=false",
        docs="https://docs.aws.amazon.com/lambda/latest/dg/python-image.html",
    ),
    Failure(
        "image-platform",
        "the image or program is built for another processor",
        (r"exec format error", r"no matching manifest for linux/"),
        "build it for the processor of the instance or function, usually: docker build --platform"
        " linux/amd64",
    ),
    Failure(
        "eula",
        "the licence of a gated model is not accepted",
        (
            r"accept_?eula",
            r"must accept the (eula|end.user licen[cs]e)",
            r"requires accepting end-user licen[cs]e",
        ),
        'read the licence, then write "accept_eula": true for this model',
    ),
    Failure(
        "wrong-region",
        "an ARN or an image belongs to another region",
        (
            r"\b(arn|region)\b.{0,120}(different|another|wrong|mismatch|does not match).{0,20}region",
            r"invalid model package region|model package .{0,200}not found in region",
        ),
        "use the ARN for this region, or deploy to the ARN's region with --region",
    ),
    Failure(
        "scaling-unsupported",
        "this kind of endpoint cannot use managed instance scaling",
        (r"managedinstancescaling is not supported",),
        "remove the scaling from this entry; report it if the config asks for none",
        docs=_VARIANT,
    ),
    Failure(
        "scaling-to-zero",
        "this endpoint cannot scale to zero instances",
        (r"min instance count needs to be greater than 0",),
        "write 1 as the smallest number of instances; scaling to zero is offered in some regions only",
        docs="https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html",
    ),
    Failure(
        "component-copies",
        "an inference component must start with at least one copy",
        (r"copy count an integer larger than 0",),
        "deploy at least one copy first; scale it down afterwards",
    ),
    Failure(
        "volume-size",
        "this instance type has its own disk, whose size is fixed",
        (r"volumesize parameter is not allowed",),
        "remove the volume size from this entry, or choose a type without a disk of its own",
        docs=_VARIANT,
    ),
    Failure(
        "archive-size",
        "the model's archive does not fit on the instance",
        (r"model data archive is too large",),
        "choose a larger instance type, or store the model uncompressed",
    ),
    Failure(
        "gpu-driver",
        "the instance's GPU driver is older than the image needs",
        (
            r"built for nvidia driver release",
            r"nvidia driver on your system is too old",
            r"cuda driver version is insufficient for cuda runtime version",
            r"unsatisfied condition: cuda",
        ),
        "nobody can install a driver there: choose an image for an older CUDA, a newer instance type, or an"
        " inference AMI with a newer driver",
        docs=_VARIANT,
    ),
    Failure(
        "no-gpu",
        "the image needs a GPU that the instance does not have",
        (r"libcuda\.so\.1", r"no cuda-capable device is detected"),
        "choose an instance type with a GPU, such as ml.g5.xlarge, or an image for CPUs",
    ),
    Failure(
        "scaling-gone",
        "the endpoint's scaling was removed outside the stack",
        (r"no scalable target (registered|found)",),
        "remove the scaling from the entry, deploy, then add it again",
    ),
)
