"""The paths at which the API answers about itself; no entry can have one of them as its name."""

PAGE_PATH = "/"
CATALOGUE_PATH = "/models"
OPENAPI_PATH = "/openapi.json"
HEALTH_PATH = "/health"

PUBLIC_PATHS = (PAGE_PATH, HEALTH_PATH)
"""They need no key, like preflights: the page is an empty shell that asks for one."""
