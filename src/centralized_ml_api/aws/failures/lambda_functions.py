"""Failures of AWS Lambda: sizes, memory, concurrency, runtimes, packages."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure

_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "concurrency",
        "the account may run too few functions at once to reserve any for one",
        (r"decreases account's unreservedconcurrentexecution",),
        "request more concurrent executions for Lambda in Service Quotas, or reserve none; after a failed"
        " first"
        " deploy, destroy the stack and deploy again",
        docs="https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
    ),
    Failure(
        "package-size",
        "a function's code, packages and layers are larger than 250 MB together",
        (
            r"unzipped size must be smaller than \d+ bytes",
            r"exceeds the maximum allowed size of \d+ bytes",
            r"(request|zipped size) must be smaller than \d+ bytes",
        ),
        "a fixed limit: use fewer or smaller packages, or serve the model as an endpoint instead of a"
        " function",
        docs=_QUOTAS,
    ),
    Failure(
        "environment-size",
        "a function's environment variables are larger than 4 KB together",
        (r"environment variables you have provided exceeded the 4kb limit",),
        "a fixed limit: write fewer or shorter environment variables, and read the rest from a file",
        docs=_QUOTAS,
    ),
    Failure(
        "runtime",
        "Lambda no longer offers this runtime",
        (r"runtime parameter of \S+ is no longer supported",),
        "write a newer runtime in the config; report it if the config names none",
        docs="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    ),
    Failure(
        "memory",
        "this account may not give a function that much memory",
        (r"'memorysize'( value)? failed to satisfy constraint",),
        "write less memory in the config (new accounts have 3008 MB), or ask AWS support for 10240 MB",
        docs=_QUOTAS,
    ),
    Failure(
        "foreign-packages",
        "a function's packages are missing, or built for another system, processor or Python",
        (r"runtime\.importmoduleerror", r"unable to import module '"),
        "deploy again after deleting the function's build folder: its packages must be built for Linux,"
        " and for"
        " the processor and the Python version of the function",
        docs="https://docs.aws.amazon.com/lambda/latest/dg/python-package.html",
    ),
)
