-- What staff may change of a customer. The lock order: request, invitation, auth.users, tripwire_users, activity, mail.

-- name: lock_customer^
-- A customer whose request is held, held for a change.
SELECT status, full_name, erased_at IS NOT NULL AS erased FROM tripwire_users WHERE user_id = :user_id FOR NO KEY UPDATE;

-- name: set_status!
UPDATE tripwire_users SET status = :status WHERE user_id = :user_id;

-- name: set_name!
-- The text that a search looks into is folded anew (its trigger sees to that).
WITH asked AS (
    UPDATE provisioning_requests SET full_name = :full_name WHERE id = :request_id
), signed_in AS (
    UPDATE auth.users SET updated_at = now(),
        raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || jsonb_build_object('full_name', :full_name::text)
    WHERE id = :user_id
)
UPDATE tripwire_users SET full_name = :full_name WHERE user_id = :user_id;

-- name: lock_request$
-- The request of a customer, held. NO KEY: whoever notes a step of it (a mail was sent) need not wait for us.
SELECT r.id FROM provisioning_requests r JOIN tripwire_users t ON t.request_id = r.id
WHERE t.user_id = :user_id AND (:only_staff::uuid IS NULL OR t.granted_by = :only_staff) FOR NO KEY UPDATE OF r;

-- name: link_state^
-- A statement of its own after the lock, so that it sees what was committed while we waited. `seconds_left` until another
-- link may be asked for; 0 where the mail with the one that holds has failed: it reached nobody. (A time ahead of now is
-- a clock that was set back.)
SELECT t.erased_at IS NOT NULL AS erased,
       CASE WHEN t.link_asked_at NOT BETWEEN clock_timestamp() - make_interval(secs => :every) AND clock_timestamp()
              OR EXISTS (SELECT 1 FROM outbox o JOIN invitations i ON i.id = o.invitation_id
                         WHERE o.request_id = t.request_id AND o.channel = 'mail' AND o.status = 'failed'
                           AND i.revoked_at IS NULL)
            THEN 0
            ELSE coalesce(extract(epoch FROM t.link_asked_at - clock_timestamp())::float8 + :every, 0)
       END AS seconds_left
FROM tripwire_users t WHERE t.user_id = :user_id;

-- name: note_link_asked!
UPDATE tripwire_users SET link_asked_at = clock_timestamp() WHERE user_id = :user_id;
