-- A day of an academy, written as the services would have left it, up to a minute ago: who sold what, by which mode, an
-- outage of Redis an hour ago and a switch half an hour ago. %(admin)s is the first admin.
INSERT INTO staff (id, email, full_name, role, last_seen_at) VALUES
    ('00000000-0000-0000-0000-000000000002', 'timur@example.com', 'Timur S.', 'sales', now() - interval '3 minutes'),
    ('00000000-0000-0000-0000-000000000003', 'rosa@example.com', 'Rosa C.', 'sales', now() - interval '40 minutes'),
    ('00000000-0000-0000-0000-000000000004', 'mara@example.com', 'Mara V.', 'admin', now() - interval '29 minutes');

CREATE TEMPORARY TABLE day AS
SELECT gen_random_uuid() AS id, gen_random_uuid() AS user_id, n,
       (ARRAY['anna', 'bek', 'dmitri', 'hana', 'kaisar', 'olga', 'samir', 'zarina'])[1 + n %% 8] AS name,
       now() - interval '61 seconds' - n * interval '18 seconds' - sin(n / 200.0) * interval '20 minutes' AS accepted_at,
       CASE WHEN n %% 3 = 0 THEN '00000000-0000-0000-0000-000000000003' ELSE '00000000-0000-0000-0000-000000000002' END::uuid
           AS staff_id
FROM generate_series(1, 6000) AS n;
DELETE FROM day WHERE accepted_at < now() - interval '24 hours';
ALTER TABLE day ADD status text, ADD mode text, ADD took interval;
UPDATE day SET
    mode = CASE WHEN accepted_at BETWEEN now() - interval '59 minutes' AND now() - interval '55 minutes' THEN 'fallback'
                WHEN accepted_at BETWEEN now() - interval '37 minutes' AND now() - interval '29 minutes' THEN 'sync'
                ELSE 'async' END,
    status = CASE WHEN n %% 1999 = 0 THEN 'failed' WHEN n %% 211 = 0 THEN 'duplicate' ELSE 'provisioned' END;
UPDATE day SET took = CASE WHEN status = 'failed' THEN interval '12 seconds'
                           WHEN mode = 'async' THEN interval '0.5 seconds' * (1 + abs(sin(n)))
                           ELSE interval '0.3 seconds' END;

INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, attempts, error, user_id,
                                   answer, accepted_at, due_at, finished_at)
SELECT id, name || n || '@example.com', initcap(name) || ' ' || chr(65 + n %% 26) || '.', 5000 + 2500 * (n %% 2), 'KZT',
       staff_id, status, mode, CASE status WHEN 'failed' THEN 3 ELSE 1 END,
       CASE status WHEN 'failed' THEN 'The database refused (CheckViolation).'
                   WHEN 'duplicate' THEN 'This auth user is a customer already.' END,
       CASE status WHEN 'provisioned' THEN user_id END, CASE mode WHEN 'async' THEN 202 ELSE 201 END,
       accepted_at, accepted_at, accepted_at + took
FROM day;
INSERT INTO request_steps (request_id, step, facts, at)
SELECT id, 'attempt_started', jsonb_build_object('attempt', attempt, 'of', 3,
                                                 'door', CASE WHEN attempt > 1 THEN 'sweep' ELSE 'queue' END),
       accepted_at + attempt * interval '3 seconds'
FROM day, generate_series(1, 3) AS attempt WHERE status = 'failed'
UNION ALL
SELECT id, CASE attempt WHEN 3 THEN 'failed' ELSE 'attempt_failed' END,
       jsonb_build_object('attempt', attempt, 'of', 3, 'cause', 'database_refused',
                          'text', 'The database refused (CheckViolation).'),
       accepted_at + attempt * interval '3 seconds' + interval '0.2 seconds'
FROM day, generate_series(1, 3) AS attempt WHERE status = 'failed' ORDER BY 4;
INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by, created_at)
SELECT gen_random_uuid(), user_id, id, name || n || '@example.com', initcap(name) || ' ' || chr(65 + n %% 26) || '.',
       staff_id, accepted_at + took FROM day WHERE status = 'provisioned';
INSERT INTO sales (id, request_id, user_id, manager_id, amount, currency, created_at)
SELECT gen_random_uuid(), id, user_id, staff_id, 5000 + 2500 * (n %% 2), 'KZT', accepted_at + took
FROM day WHERE status = 'provisioned';
INSERT INTO outbox (channel, status, user_id, request_id, attempts, ready_at, due_at, finished_at, created_at)
SELECT 'mail', 'sent', user_id, id, 1, accepted_at + took, accepted_at + took, accepted_at + took + interval '1 second',
       accepted_at + took FROM day WHERE status = 'provisioned';
INSERT INTO sales_activity_log (staff_id, action, user_id, request_id, address, created_at)
SELECT staff_id, 'customer created', user_id, id, '192.0.2.7', accepted_at + took
FROM day WHERE status = 'provisioned' ORDER BY accepted_at;

INSERT INTO measured_minutes (minute)
SELECT generate_series(date_trunc('minute', now() - interval '7 days'), date_trunc('minute', now()) - interval '1 minute',
                       interval '1 minute');
INSERT INTO incidents (cause, opened_at, last_failure_at, resolved_at, detail, served_directly, slowest_seconds)
SELECT cause, now() - began, now() - over, now() - over, detail, served, slowest
FROM (VALUES ('mail failing', interval '9 hours', interval '8 hours 19 minutes', 'The mail server refused (451).', NULL, NULL),
             ('queue unavailable', interval '58 minutes 12 seconds', interval '55 minutes',
              'Error 111 connecting to 127.0.0.1:6379. Connection refused.', 12, 0.3))
     AS past (cause, began, over, detail, served, slowest);
INSERT INTO system_config_history (key, version, value, previous_value, changed_at, changed_by, reason) VALUES
    ('traffic_mode', 2, 'sync_direct', 'async_queue', now() - interval '37 minutes', 'mara@example.com',
     'Redis restarts at 14:30'),
    ('traffic_mode', 3, 'async_queue', 'sync_direct', now() - interval '29 minutes', 'mara@example.com',
     'Redis checked after the restart');
UPDATE system_config SET version = 3, changed_at = now() - interval '29 minutes', changed_by = 'mara@example.com',
                         reason = 'Redis checked after the restart' WHERE key = 'traffic_mode';
INSERT INTO sales_activity_log (staff_id, action, detail, address, created_at) VALUES
    ('00000000-0000-0000-0000-000000000004', 'mode switched', '{"mode": "sync_direct", "reason": "Redis restarts at 14:30"}',
     '192.0.2.9', now() - interval '37 minutes'),
    ('00000000-0000-0000-0000-000000000004', 'mode switched', '{"mode": "async_queue", "reason": "Redis checked after the restart"}',
     '192.0.2.9', now() - interval '29 minutes'),
    (%(admin)s, 'token made', '{"name": "Website form", "staff_id": "00000000-0000-0000-0000-000000000002"}', '192.0.2.7',
     now() - interval '12 minutes');
INSERT INTO staff_tokens (id, staff_id, token_hash, kind, name, created_by, expires_at, last_used_at)
VALUES (gen_random_uuid(), '00000000-0000-0000-0000-000000000002', decode(repeat('ab', 32), 'hex'), 'api', 'Website form',
        %(admin)s, now() + interval '5 days 12 hours', now() - interval '1 minute');
INSERT INTO deploys (version, previous, started_by, started_at, finished_at, outcome) VALUES
    ('20261124T120210Z-930962a', '20261120T090107Z-2bbf812', 'ops@build-host', now() - interval '3 hours',
     now() - interval '2 hours 59 minutes', 'done');
SELECT pg_notify('tripwire_mode', '3');
ANALYZE;
