"""Samplers: the API's names, and the schedulers of diffusers that do the same.

Source of the names:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html
Source of the schedulers: https://huggingface.co/docs/diffusers/api/schedulers/overview
"""

from __future__ import annotations

SCHEDULERS = {
    "DDIM": "DDIMScheduler",
    "DDPM": "DDPMScheduler",
    "K_DPMPP_2M": "DPMSolverMultistepScheduler",
    # There is no ancestral one of this kind in diffusers; its own table calls this one very similar.
    "K_DPMPP_2S_ANCESTRAL": "DPMSolverSinglestepScheduler",
    "K_DPM_2": "KDPM2DiscreteScheduler",
    "K_DPM_2_ANCESTRAL": "KDPM2AncestralDiscreteScheduler",
    "K_EULER": "EulerDiscreteScheduler",
    "K_EULER_ANCESTRAL": "EulerAncestralDiscreteScheduler",
    "K_HEUN": "HeunDiscreteScheduler",
    "K_LMS": "LMSDiscreteScheduler",
}
