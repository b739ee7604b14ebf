-- name: begin$
INSERT INTO deploys (version, previous, started_by) VALUES (:version, :previous, :started_by) RETURNING id;

-- name: abandon_unfinished!
-- One deploy at a time: whatever has no end was ended from outside.
UPDATE deploys SET finished_at = now(), outcome = 'abandoned' WHERE finished_at IS NULL;

-- name: finish^
UPDATE deploys SET finished_at = now(), outcome = :outcome, reason = :reason
WHERE id = :id AND finished_at IS NULL
RETURNING id, version, previous, started_by, started_at, finished_at, outcome, reason,
          extract(epoch FROM finished_at - started_at)::float8 AS seconds;

-- name: latest
SELECT id, version, previous, started_by, started_at, finished_at, outcome, reason,
       extract(epoch FROM finished_at - started_at)::float8 AS seconds
FROM deploys ORDER BY id DESC LIMIT :limit;

-- name: version_before$
-- The last version that went well and is not `version`: where a rollback leads.
SELECT version FROM deploys WHERE outcome = 'done' AND version <> :version ORDER BY id DESC LIMIT 1;
