-- The record of deploys, which the console shows.
-- depends: 0017_unanswered_mails

CREATE TABLE deploys (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version     text NOT NULL,
    previous    text,
    started_by  text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    outcome     text CHECK (outcome IN ('done', 'rolled_back', 'failed', 'abandoned')),
    reason      text,
    CONSTRAINT finished_has_outcome CHECK ((finished_at IS NULL) = (outcome IS NULL))
);
