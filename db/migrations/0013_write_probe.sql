-- What is updated to see whether PostgreSQL takes writes.
-- depends: 0012_fewer_indexes

CREATE TABLE write_probe (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    written_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO write_probe (written_at) VALUES ('-infinity');
