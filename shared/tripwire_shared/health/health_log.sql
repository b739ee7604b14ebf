-- name: insert_event!
-- One health event.
INSERT INTO system_health_logs (event_type, message, metadata) VALUES (:type, :message, :metadata);

-- name: latest_events
-- The newest events of a type (or all) before an id.
SELECT id, event_type, message, metadata, created_at FROM system_health_logs
WHERE (:type::text IS NULL OR event_type = :type) AND (:before::bigint IS NULL OR id < :before)
ORDER BY id DESC LIMIT :limit;
