-- What grows ends: a heartbeat for the charts, and what the clean-up of the worker service needs.
-- depends: 0009_figures

-- A chart tells "off" from "nothing to do" by it.
CREATE TABLE measured_minutes (
    minute      timestamptz PRIMARY KEY,
    measured_at timestamptz NOT NULL DEFAULT now()
);
