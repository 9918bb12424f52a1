"""The running models under the names by which SageMaker's API knows them."""

from __future__ import annotations
