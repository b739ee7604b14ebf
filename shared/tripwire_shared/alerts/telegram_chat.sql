-- name: note_move$
-- The id that a group got as a supergroup, beside the one that is configured; no row where that stands there already.
INSERT INTO system_config (key, value) VALUES ('telegram_chat_moved', :moved)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = system_config.version + 1, changed_at = now()
WHERE system_config.value <> excluded.value
RETURNING true;
