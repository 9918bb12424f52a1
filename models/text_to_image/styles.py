"""Style presets: the words that each adds to the prompt.

The service does not publish its words; these are ours.
Source of the names: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html
"""

from __future__ import annotations

STYLES = {
    "3d-model": "3D model, rendered",
    "analog-film": "analog film photograph, grain",
    "anime": "anime style",
    "cinematic": "cinematic still, dramatic light",
    "comic-book": "comic book illustration",
    "digital-art": "digital art",
    "enhance": "highly detailed, sharp",
    "fantasy-art": "fantasy art",
    "isometric": "isometric view",
    "line-art": "line art, black and white",
    "low-poly": "low poly",
    "modeling-compound": "made of modeling clay",
    "neon-punk": "neon punk, glowing colours",
    "origami": "folded paper, origami",
    "photographic": "photograph",
    "pixel-art": "pixel art",
    "tile-texture": "seamless tile texture",
}


def add_style(text: str, style: str | None) -> str:
    """Returns the prompt with the words of a preset."""
    return f"{text}, {STYLES[style]}" if style else text
