"""The tables of the store and every SQL statement on them."""

from __future__ import annotations

OTHERS = "(others)"
"""Team and model of all calls past the limit of pairs; no name in a config has this form."""

KEPT_POSITIONS = 8
"""Of the segments read last. There are two of them; more are kept in case one is away for a while."""

SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS pairs (
    id INTEGER PRIMARY KEY, team TEXT NOT NULL, model TEXT NOT NULL, UNIQUE (team, model)
);
CREATE TABLE IF NOT EXISTS calls (
    hour INTEGER, pair INTEGER, status INTEGER, bucket INTEGER,
    requests INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL,
    tokens_in INTEGER NOT NULL DEFAULT 0, tokens_cached INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0, tokens_estimated INTEGER NOT NULL DEFAULT 0,
    nanodollars INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, pair, status, bucket)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (id INTEGER PRIMARY KEY, part TEXT UNIQUE, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS unreadable (id INTEGER PRIMARY KEY CHECK (id = 1), lines INTEGER NOT NULL);
INSERT OR IGNORE INTO unreadable VALUES (1, 0);
CREATE TABLE IF NOT EXISTS prices (
    model TEXT PRIMARY KEY, read INTEGER NOT NULL, cached INTEGER NOT NULL, written INTEGER NOT NULL,
    title TEXT NOT NULL, day TEXT
);
PRAGMA user_version = 2;
COMMIT;
"""
VERSION = "PRAGMA user_version"
IS_MADE = "SELECT 1 FROM sqlite_master WHERE name = 'unreadable'"

MIGRATIONS = (
    (
        "ALTER TABLE calls ADD COLUMN tokens_in INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE calls ADD COLUMN tokens_cached INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE calls ADD COLUMN tokens_out INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE calls ADD COLUMN tokens_estimated INTEGER NOT NULL DEFAULT 0",
        "PRAGMA user_version = 1",
    ),
    (
        "ALTER TABLE calls ADD COLUMN nanodollars INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE prices (
            model TEXT PRIMARY KEY, read INTEGER NOT NULL, cached INTEGER NOT NULL, written INTEGER NOT NULL,
            title TEXT NOT NULL, day TEXT
        )""",
        "PRAGMA user_version = 2",
    ),
)
"""Makes a store of version 0, without tokens, one of version 1, without prices; then one of version 2."""

PRICES = "SELECT model, read, cached, written, title, day FROM prices"
ADD_PRICE = "INSERT INTO prices VALUES (?, ?, ?, ?, ?, ?)"
DROP_PRICES = "DELETE FROM prices"

POSITION = "SELECT bytes FROM positions WHERE part = ?"
SET_POSITION = "REPLACE INTO positions (part, bytes) VALUES (?, ?)"
FORGET_POSITIONS = """
DELETE FROM positions WHERE id NOT IN (SELECT id FROM positions ORDER BY id DESC LIMIT ?)
"""

UNREADABLE = "SELECT lines FROM unreadable"
ADD_UNREADABLE = "UPDATE unreadable SET lines = lines + ?"

PAIR = "SELECT id FROM pairs WHERE team = ? AND model = ?"
PAIRS = "SELECT count(*) FROM pairs"
ADD_PAIR = "INSERT INTO pairs (team, model) VALUES (?, ?) RETURNING id"
DROP_PAIRS = "DELETE FROM pairs WHERE id NOT IN (SELECT pair FROM calls)"

ADD = """
INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests,
    bytes_in = bytes_in + excluded.bytes_in,
    bytes_out = bytes_out + excluded.bytes_out,
    first = min(first, excluded.first),
    last = max(last, excluded.last),
    tokens_in = tokens_in + excluded.tokens_in,
    tokens_cached = tokens_cached + excluded.tokens_cached,
    tokens_out = tokens_out + excluded.tokens_out,
    tokens_estimated = tokens_estimated + excluded.tokens_estimated,
    nanodollars = nanodollars + excluded.nanodollars
"""
_TOKENS = "sum(tokens_in), sum(tokens_cached), sum(tokens_out), sum(tokens_estimated), sum(nanodollars)"

_ADMITTED = "model <> ? AND status NOT IN (401, 403, 405, 413, 429, 501)"
"""Matches the calls that count towards a quota: of a model, and not refused by the gateway."""

REQUESTS_BY_TEAM = f"""
SELECT team, sum(requests) FROM calls JOIN pairs ON pairs.id = pair
WHERE hour >= ? AND hour < ? AND {_ADMITTED} GROUP BY team
"""  # noqa: S608  # a constant
TEAM = f"""
SELECT COALESCE(sum(CASE WHEN {_ADMITTED} THEN requests ELSE 0 END), 0),
    COALESCE(sum(tokens_in), 0), COALESCE(sum(tokens_cached), 0), COALESCE(sum(tokens_out), 0),
    COALESCE(sum(tokens_estimated), 0), COALESCE(sum(nanodollars), 0)
FROM calls JOIN pairs ON pairs.id = pair WHERE team = ?
"""  # noqa: S608  # a constant
TEAM_DAYS = f"""
SELECT team, hour / 24, sum(requests) FROM calls JOIN pairs ON pairs.id = pair
WHERE hour >= ? AND team <> ? AND {_ADMITTED} GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608  # a constant
COUNTS = f"""
SELECT team, model, status, bucket, sum(requests), sum(bytes_in), sum(bytes_out), min(first), max(last),
    {_TOKENS}
FROM calls JOIN pairs ON pairs.id = pair WHERE hour >= ? GROUP BY team, model, status, bucket
"""  # noqa: S608  # a constant
HOURS = """
SELECT hour, sum(requests), sum(CASE WHEN status = 0 OR status >= 400 THEN requests ELSE 0 END),
    sum(nanodollars)
FROM calls WHERE hour >= ? GROUP BY hour ORDER BY hour
"""

DROP_OLD = "DELETE FROM calls WHERE hour < ?"
IS_TO_FOLD = "SELECT 1 FROM calls WHERE hour < ? AND hour % 24 LIMIT 1"
FOLD = f"""
CREATE TEMP TABLE folded AS
SELECT hour - hour % 24, pair, status, bucket,
    sum(requests), sum(bytes_in), sum(bytes_out), min(first), max(last), {_TOKENS}
FROM calls WHERE hour < ? GROUP BY 1, 2, 3, 4
"""  # noqa: S608  # a constant
TAKE_FOLDED = "INSERT INTO calls SELECT * FROM folded"
DROP_FOLDED = "DROP TABLE folded"
