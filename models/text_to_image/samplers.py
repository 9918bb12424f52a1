"""Maps the API's names of samplers to the equivalent schedulers of diffusers.

Source of the names:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html
Source of the schedulers: https://huggingface.co/docs/diffusers/api/schedulers/overview
"""

from __future__ import annotations

SCHEDULERS = {
    "DDIM": "DDIMScheduler",
    "DDPM": "DDPMScheduler",
    "K_DPMPP_2M": "DPMSolverMultistepScheduler",
    # diffusers has no ancestral variant; its own table calls this scheduler very similar.
    "K_DPMPP_2S_ANCESTRAL": "DPMSolverSinglestepScheduler",
    "K_DPM_2": "KDPM2DiscreteScheduler",
    "K_DPM_2_ANCESTRAL": "KDPM2AncestralDiscreteScheduler",
    "K_EULER": "EulerDiscreteScheduler",
    "K_EULER_ANCESTRAL": "EulerAncestralDiscreteScheduler",
    "K_HEUN": "HeunDiscreteScheduler",
    "K_LMS": "LMSDiscreteScheduler",
}
