-- name: insert_event!
-- One health event; it may have happened before now.
INSERT INTO system_health_logs (event_type, message, metadata, created_at)
VALUES (:type, :message, :metadata, coalesce(:at::timestamptz, now()));

-- name: latest_events
-- The newest events of a type (or all) before an id, whose message holds a text.
SELECT id, event_type, message, metadata, created_at FROM system_health_logs
WHERE (:type::text IS NULL OR event_type = :type) AND (:before::bigint IS NULL OR id < :before)
  AND (:pattern::text IS NULL OR message ILIKE :pattern)
ORDER BY id DESC LIMIT :limit;
