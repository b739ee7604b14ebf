-- name: take_slots^
-- A block of :count slots that begins together, in seconds from now on the server's clock; where it would begin further
-- ahead than :near nothing is taken, and `wait` is how long until it would be near enough. The next block comes one
-- spacing later for each slot of this one. A last slot further ahead than any grant puts one comes of a clock that was
-- set back: it is forgotten. A block lost in a crash costs nothing: not waited for on disk.
WITH taken AS (
    UPDATE worker_pace
    SET last_slot = make_interval(secs => :spacing * (:count - 1))
        + greatest(CASE WHEN last_slot < clock_timestamp() + make_interval(secs => :absurd)
                        THEN last_slot + make_interval(secs => :spacing) END, clock_timestamp())
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS not_waited_for
    WHERE last_slot + make_interval(secs => :spacing - :near) <= clock_timestamp()
       OR last_slot >= clock_timestamp() + make_interval(secs => :absurd)
    RETURNING extract(epoch FROM last_slot - clock_timestamp())::float8 - :spacing * (:count - 1) AS wait
)
SELECT true AS taken, wait FROM taken
UNION ALL
SELECT false, extract(epoch FROM last_slot - clock_timestamp())::float8 + :spacing - :near FROM worker_pace
WHERE NOT EXISTS (SELECT 1 FROM taken);
