-- Mails and alerts: stored with what caused them, delivered afterwards under a lease.

-- name: put_mail!
-- A welcome mail that is to be sent; the deliverers are told when it is committed.
WITH put AS (
    INSERT INTO outbox (channel, user_id, request_id, invitation_id)
    VALUES ('mail', :user_id, :request_id, :invitation_id) RETURNING id
)
SELECT pg_notify('tripwire_mails', '') FROM put;

-- name: tell_mails!
-- There are more mails than this process sends.
SELECT pg_notify('tripwire_mails', '');

-- name: close_mails!
-- The waiting mails of a request have lost their sense.
UPDATE outbox SET status = 'failed', finished_at = clock_timestamp(), claimed_by = NULL, last_error = :reason
WHERE request_id = :request_id AND channel = 'mail' AND status = 'pending';

-- name: carry_new_link!
-- The waiting mails of a request take another link along; the deliverers are told when it is committed.
WITH carried AS (
    UPDATE outbox SET invitation_id = :invitation_id, due_at = clock_timestamp(), claimed_by = NULL
    WHERE request_id = :request_id AND channel = 'mail' AND status = 'pending' AND invitation_id IS NOT NULL
    RETURNING id
)
SELECT pg_notify('tripwire_mails', '') FROM carried;

-- name: put_alert!
-- An alert that is to be sent now; the deliverers are told when it is committed.
WITH put AS (
    INSERT INTO outbox (channel, body) VALUES ('alert', :body) RETURNING id
)
SELECT pg_notify('tripwire_alerts', '') FROM put;

-- name: lock_kind$
-- Two first alerts of a kind at the same moment: the second must see the first.
SELECT pg_advisory_xact_lock(hashtext('tripwire alert ' || :kind));

-- name: merged_recently$
-- Whether an alert of this kind went out, or was begun, within the window.
SELECT true FROM outbox
WHERE channel = 'alert' AND body ->> 'kind' = :kind AND created_at > now() - make_interval(secs => :window) LIMIT 1;

-- name: put_merged_alert!
-- One row for all alerts of a kind until the window is over; each further one only counts. Nobody is told: the window
-- is longer than the deliverers' slow poll, so that they have seen it before it is due.
INSERT INTO outbox (channel, body, merge_key, ready_at, due_at)
VALUES ('alert', :body, :kind, now() + make_interval(secs => :window), now() + make_interval(secs => :window))
ON CONFLICT (merge_key) WHERE status = 'pending' AND merge_key IS NOT NULL
DO UPDATE SET body = jsonb_set(outbox.body, '{details,requests}',
                               to_jsonb((outbox.body #>> '{details,requests}')::integer + 1));

-- name: lease_mails
-- The mails that have been due longest (or came in last), with what is needed to write them; without a recipient where
-- the customer was erased or the link replaced meanwhile. The lease moves due_at, so that a dead deliverer's mails come
-- back. With patience only what is late while nobody sends, or very late. Where there is none, one row without an id says
-- in how many seconds the next one is due (negative: overdue, and another's or left to others; null: none waits).
-- The inner select is an array, so that it runs once; the constant in its order is folded, and the index gives either.
WITH leased AS (
    UPDATE outbox SET claimed_by = :owner, due_at = now() + make_interval(secs => :lease), attempts = attempts + 1
    WHERE id = ANY (ARRAY(
        SELECT id FROM outbox
        WHERE channel = 'mail' AND status = 'pending' AND due_at <= now() - make_interval(secs => :patience)
          AND (:patience = 0 OR due_at <= now() - make_interval(secs => :long_patience) OR NOT EXISTS (
              SELECT 1 FROM outbox WHERE channel = 'mail' AND status = 'sent'
                 AND finished_at > now() - make_interval(secs => :patience)))
        ORDER BY CASE WHEN :newest_first THEN due_at END DESC, due_at
        LIMIT :at_most FOR UPDATE SKIP LOCKED))
    RETURNING id, user_id, request_id, invitation_id, body, attempts, unanswered, created_at, ready_at
)
SELECT leased.*, customer.email, customer.full_name, next.due_in
FROM (SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 AS due_in
      FROM outbox WHERE channel = 'mail' AND status = 'pending') next
LEFT JOIN leased ON true
LEFT JOIN tripwire_users customer
     ON customer.user_id = leased.user_id AND customer.erased_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM invitations WHERE id = leased.invitation_id AND revoked_at IS NOT NULL)
ORDER BY leased.ready_at, leased.id;

-- name: lease_alert
-- The head of the line and no other, so that alerts go out in order; and none within a second of the last one.
-- The advisory lock makes deliverers of all processes look one after the other. Where there is none to deliver, one row
-- without an id says in how many seconds the head can be (the others wait for it), as above.
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('tripwire alerts')) AS mine
), head AS (
    SELECT id FROM outbox
    WHERE channel = 'alert' AND status = 'pending' AND ready_at <= now()
    ORDER BY ready_at, id LIMIT 1
), leased AS (
    UPDATE outbox SET claimed_by = :owner, due_at = now() + make_interval(secs => :lease), attempts = attempts + 1,
                      merge_key = NULL
    FROM head, turn
    WHERE outbox.id = head.id AND turn.mine AND outbox.due_at <= now() AND outbox.status = 'pending'
      AND NOT EXISTS (
          SELECT 1 FROM outbox WHERE channel = 'alert' AND finished_at > now() - make_interval(secs => :spacing))
    RETURNING outbox.id, user_id, request_id, invitation_id, body, attempts, unanswered, created_at
)
SELECT leased.*, NULL AS email, NULL AS full_name, next.due_in
FROM (SELECT (
          SELECT extract(epoch FROM greatest(due_at, ready_at, (
                     SELECT max(finished_at) + make_interval(secs => :spacing) FROM outbox WHERE channel = 'alert'
                 )) - clock_timestamp())::float8
          FROM outbox WHERE channel = 'alert' AND status = 'pending' ORDER BY ready_at, id LIMIT 1) AS due_in) next
LEFT JOIN leased ON true;

-- name: mark_sent!
-- Delivered, a mail also in the timeline of its request; not those whose lease had run out and another has.
WITH sent AS (
    UPDATE outbox SET status = 'sent', finished_at = clock_timestamp(), claimed_by = NULL, last_error = NULL
    WHERE id = ANY (:ids) AND claimed_by = :owner AND status = 'pending' RETURNING channel, request_id
)
INSERT INTO request_steps (request_id, step) SELECT request_id, 'mail_sent' FROM sent WHERE channel = 'mail';

-- name: still_leased
-- Those that were not closed meanwhile, and whose lease is not another's.
SELECT id FROM outbox WHERE id = ANY (:ids) AND claimed_by = :owner AND status = 'pending';

-- name: give_back!
-- Leased, but not begun: due again as if it had never been leased, and in its old place. Others are told of the mails,
-- since this process may be ending.
WITH given_back AS (
    UPDATE outbox SET due_at = ready_at, claimed_by = NULL, attempts = attempts - 1
    WHERE id = ANY (:ids) AND claimed_by = :owner AND status = 'pending' RETURNING channel
)
SELECT pg_notify('tripwire_mails', '') FROM given_back WHERE channel = 'mail' LIMIT 1;

-- name: note_out!
-- A mail that is out, and its receiver does not say whether it has it: nobody else gets it while that may still come,
-- and who gets it then knows how often that was. Where it takes long, it counts as failing meanwhile.
UPDATE outbox SET unanswered = :unanswered, due_at = now() + make_interval(secs => :lease),
                  last_error = coalesce(:failing::text, last_error),
                  failing_since = CASE WHEN :failing::text IS NULL THEN failing_since
                                       ELSE coalesce(failing_since, clock_timestamp()) END
WHERE id = :id AND claimed_by = :owner AND status = 'pending';

-- name: put_off!
-- Not delivered, as far as is known: again after a pause. A mail's failure stands in the timeline of its request.
WITH failed AS (
    UPDATE outbox SET due_at = now() + make_interval(secs => :pause), claimed_by = NULL, last_error = :error,
                      unanswered = :unanswered,
                      failing_since = coalesce(failing_since, clock_timestamp())
    WHERE id = :id AND claimed_by = :owner AND status = 'pending' RETURNING channel, request_id
)
INSERT INTO request_steps (request_id, step, facts)
SELECT request_id, 'mail_failed', jsonb_build_object('try', :attempt::integer, 'text', :error::text) FROM failed WHERE channel = 'mail';

-- name: give_up$
-- Not delivered, and not tried again.
WITH ended AS (
    UPDATE outbox SET status = 'failed', finished_at = clock_timestamp(), claimed_by = NULL, last_error = :error
    WHERE id = :id AND claimed_by = :owner AND status = 'pending' RETURNING channel, request_id
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT request_id, 'mail_given_up', jsonb_build_object('text', :error::text) FROM ended WHERE channel = 'mail'
)
SELECT true FROM ended;

-- name: waiting^
-- What waits, and whether any of it was refused: the states of mail and Telegram. Each counted in the index of its own
-- that holds nothing else: a message stays for months after it was sent.
SELECT
    (SELECT count(*) FROM outbox WHERE channel = 'mail' AND status = 'pending') AS mails_waiting,
    (SELECT count(*) FROM outbox WHERE channel = 'alert' AND status = 'pending') AS alerts_waiting,
    EXISTS (SELECT 1 FROM outbox
            WHERE channel = 'mail' AND status = 'pending' AND failing_since IS NOT NULL) AS mail_failing,
    EXISTS (SELECT 1 FROM outbox
            WHERE channel = 'alert' AND status = 'pending' AND failing_since IS NOT NULL) AS alerts_failing;
