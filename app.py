"""What `cdk` runs; it needs the packages of requirements.txt and no installation of this one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from centralized_ml_api.aws.app import main  # found through the line above

if __name__ == "__main__":
    sys.exit(main())
