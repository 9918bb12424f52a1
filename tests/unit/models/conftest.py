from __future__ import annotations

import sys
from pathlib import Path

# As the engine does it: the files of a model find each other by their own names.
sys.path.append(str(Path(__file__).parents[3] / "models" / "text_to_image"))
