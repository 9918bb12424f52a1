"""Calls an API by an agent of OpenAI's Agents SDK, at Responses, which it chooses by itself."""

import asyncio
import json
import sys

from agents import OpenAIResponsesModel
from openai_agents import report

json.dump(asyncio.run(report(OpenAIResponsesModel)), sys.stdout)
