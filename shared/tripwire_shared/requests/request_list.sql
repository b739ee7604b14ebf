-- Requests as staff look for them: one with its steps, and lists, newest first, page by page. Nothing here writes.

-- fragment: of_a_request
r.id AS request_id, r.email, r.full_name, r.status, r.mode, r.attempts, r.error, r.user_id, r.price, r.currency,
       r.accepted_at, r.finished_at, CASE r.status WHEN 'accepted' THEN r.due_at END AS due_at,
       date_part('epoch', r.finished_at - r.accepted_at) AS took_seconds,
       m.id AS manager_id, m.email AS manager_email, m.full_name AS manager_name,
       -- Under way there is no mail yet, but there will be one. What ended without a customer gets none.
       CASE r.status WHEN 'accepted' THEN 'pending' ELSE coalesce(welcome_email_of(r.id), 'failed') END AS welcome_email

-- fragment: matching
(:only_staff::uuid IS NULL OR staff_id = :only_staff)
      AND (:ids::uuid[] IS NULL OR id = ANY (:ids))
      AND (:mode::text IS NULL OR mode = :mode)
      AND (:manager_id::uuid IS NULL OR staff_id = :manager_id)
      AND (:since::timestamptz IS NULL OR accepted_at >= :since)
      AND (:until::timestamptz IS NULL OR accepted_at < :until)
      -- The live one and those that are over are found by an index each.
      AND (:email::text IS NULL OR (email = :email AND status IN ('accepted', 'provisioned'))
                                OR (email = :email AND status NOT IN ('accepted', 'provisioned')))
      -- So too: those that are over have an index for this, those under way are few. What is not folded yet is found as
      -- PostgreSQL knows it.
      AND (:pattern::text IS NULL OR (search_text LIKE :pattern AND status <> 'accepted')
                                  OR (search_text LIKE :pattern AND status = 'accepted')
                                  OR (search_text IS NULL AND full_name || ' ' || email ILIKE :unfolded))

-- fragment: nobody_has_the_email
NOT EXISTS (SELECT 1 FROM provisioning_requests o
                  WHERE o.email = r.email AND o.status IN ('accepted', 'provisioned'))
      AND NOT EXISTS (SELECT 1 FROM auth.users u
                      WHERE u.email IN (r.email, readable_email(r.email)) AND u.is_sso_user = false
                        AND u.raw_app_meta_data ->> 'tripwire_request_id' IS DISTINCT FROM r.id::text)

-- name: find_request^
-- One request. A manager (:only_staff) sees only their own.
SELECT {{of_a_request}}
FROM provisioning_requests r JOIN staff m ON m.id = r.staff_id
WHERE r.id = :id AND (:only_staff::uuid IS NULL OR r.staff_id = :only_staff);

-- name: finished_among
-- Those of :ids that are not under way any more.
SELECT id FROM provisioning_requests WHERE id = ANY (:ids) AND status <> 'accepted';

-- name: steps
-- What happened to a request, in order. Steps of before migration 0019 hold a sentence.
SELECT step, at, coalesce(facts, CASE WHEN detail IS NOT NULL THEN jsonb_build_object('text', detail) END) AS detail
FROM request_steps WHERE request_id = :id ORDER BY id;

-- name: list_requests
-- Those that match, beyond the cursor, in its direction; always given newest first.
-- The conditions stand once and are inlined into both directions, of which the planner drops the one not asked for.
WITH matching AS NOT MATERIALIZED (
    SELECT id, accepted_at FROM provisioning_requests r
    WHERE {{matching}}
      AND (:status::text IS NULL OR status = :status)
      AND (NOT :retriable OR ({{nobody_has_the_email}}))
), chosen AS (
    (SELECT id FROM matching
     WHERE NOT :newer AND (:at::timestamptz IS NULL OR (accepted_at, id) < (:at, :id::uuid))
     ORDER BY accepted_at DESC, id DESC LIMIT :limit)
    UNION ALL
    (SELECT id FROM matching
     WHERE :newer AND (accepted_at, id) > (:at::timestamptz, :id::uuid)
     ORDER BY accepted_at, id LIMIT :limit)
)
SELECT {{of_a_request}}
FROM chosen JOIN provisioning_requests r USING (id) JOIN staff m ON m.id = r.staff_id
ORDER BY r.accepted_at DESC, r.id DESC;

-- name: count_requests^
-- How many match in each status. Exact: people compare these figures with what they know. All are counted once, and
-- those of the rare states in their own small indexes; what remains is provisioned.
WITH matching AS NOT MATERIALIZED (
    SELECT id, email, status FROM provisioning_requests r
    WHERE {{matching}}
)
SELECT (SELECT count(*) FROM matching) AS total,
       (SELECT count(*) FROM matching WHERE status = 'accepted') AS accepted,
       (SELECT count(*) FROM matching WHERE status = 'duplicate') AS duplicate,
       (SELECT count(*) FROM matching WHERE status = 'failed') AS failed;

-- name: count_retriable$
-- How many failed ones that match could be retried: as `retry` in `request_store.sql` decides it.
SELECT count(*) FROM provisioning_requests r
WHERE status = 'failed' AND {{matching}} AND {{nobody_has_the_email}};
