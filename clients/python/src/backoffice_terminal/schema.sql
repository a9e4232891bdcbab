-- One terminal's journal. An order's bytes are written once and never changed: the saved bytes are what is sent.
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS shifts (
    shift_id     TEXT PRIMARY KEY,
    number       INTEGER NOT NULL UNIQUE,
    first_number INTEGER NOT NULL,
    opening      BLOB NOT NULL,               -- the body of PUT /shifts/{id}
    opened       INTEGER NOT NULL DEFAULT 0,  -- Back Office has acknowledged the opening
    counted      INTEGER,                     -- cash in the drawer; null while the shift is open, and where head office counts
    closed_at    TEXT,                        -- if not null, the cashier has closed the shift
    declaration  BLOB,                        -- the body of PUT /shifts/{id}/close, made when all batches have arrived
    declared     INTEGER NOT NULL DEFAULT 0,
    state        TEXT NOT NULL DEFAULT 'open',
    settled_at   TEXT                         -- when this terminal first saw it reconciled or approved
) STRICT;

CREATE TABLE IF NOT EXISTS batches (
    batch_id  TEXT PRIMARY KEY,
    shift_id  TEXT NOT NULL REFERENCES shifts,
    sent_at   TEXT NOT NULL,
    orders    TEXT NOT NULL,                  -- JSON list of order ids, in the order sent
    movements TEXT NOT NULL,
    state     TEXT NOT NULL,                  -- sealed, accepted, processed, failed, refused, superseded
    problem   TEXT NOT NULL DEFAULT '',
    outcomes  TEXT NOT NULL DEFAULT '{}'     -- JSON: how many orders were posted, duplicate, conflict, held
) STRICT;
CREATE INDEX IF NOT EXISTS batches_by_state ON batches (state, shift_id);

CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY,
    shift_id TEXT NOT NULL REFERENCES shifts,
    number   INTEGER NOT NULL UNIQUE,
    body     BLOB NOT NULL,
    batch_id TEXT REFERENCES batches,         -- the latest that it was put into; null if in none yet
    outcome  TEXT,
    reasons  TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_shift ON orders (shift_id, number);
CREATE INDEX IF NOT EXISTS orders_unsealed ON orders (shift_id) WHERE batch_id IS NULL;

CREATE TABLE IF NOT EXISTS movements (
    movement_id TEXT PRIMARY KEY,
    shift_id    TEXT NOT NULL REFERENCES shifts,
    body        BLOB NOT NULL,
    batch_id    TEXT REFERENCES batches,
    outcome     TEXT,
    reasons     TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX IF NOT EXISTS movements_by_shift ON movements (shift_id);

CREATE TABLE IF NOT EXISTS store_orders (
    order_id  TEXT PRIMARY KEY,
    posted_at TEXT NOT NULL,
    body      BLOB NOT NULL
) STRICT;
