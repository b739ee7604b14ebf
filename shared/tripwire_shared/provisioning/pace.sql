-- name: take_slot$
-- The next slot, in seconds from now on the server's clock. Its loss in a crash costs nothing: not waited for on disk.
UPDATE worker_pace
SET last_slot = greatest(last_slot + make_interval(secs => :spacing), clock_timestamp())
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS not_waited_for
RETURNING extract(epoch FROM last_slot - clock_timestamp())::float8;
