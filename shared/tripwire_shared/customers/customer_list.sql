-- Customers as staff look for them: newest first, page by page.

-- fragment: of_a_customer
t.user_id, t.email, t.full_name, t.status, t.created_at, t.request_id, t.erased_at IS NOT NULL AS erased,
       m.id AS manager_id, m.email AS manager_email, m.full_name AS manager_name,
       s.id AS sale_id, s.amount AS price, s.currency, s.created_at AS sold_at,
       coalesce(welcome_email_of(t.request_id), 'failed') AS welcome_email

-- fragment: matching
(:only_staff::uuid IS NULL OR granted_by = :only_staff)
      AND (:manager_id::uuid IS NULL OR granted_by = :manager_id)
      AND (:since::timestamptz IS NULL OR created_at >= :since)
      AND (:until::timestamptz IS NULL OR created_at < :until)
      AND (:pattern::text IS NULL OR search_text LIKE :pattern
                                  OR (search_text IS NULL AND full_name || ' ' || email ILIKE :unfolded))

-- name: list_customers
-- Those that match, beyond the cursor, in its direction; always given newest first.
-- The conditions stand once and are inlined into both directions, of which the planner drops the one not asked for.
WITH matching AS NOT MATERIALIZED (
    SELECT user_id, created_at FROM tripwire_users
    WHERE {{matching}}
      AND (:status::text IS NULL OR status = :status)
), chosen AS (
    (SELECT user_id FROM matching
     WHERE NOT :newer AND (:at::timestamptz IS NULL OR (created_at, user_id) < (:at, :id::uuid))
     ORDER BY created_at DESC, user_id DESC LIMIT :limit)
    UNION ALL
    (SELECT user_id FROM matching
     WHERE :newer AND (created_at, user_id) > (:at::timestamptz, :id::uuid)
     ORDER BY created_at, user_id LIMIT :limit)
)
SELECT {{of_a_customer}}
FROM chosen JOIN tripwire_users t USING (user_id)
JOIN staff m ON m.id = t.granted_by
JOIN sales s ON s.request_id = t.request_id
ORDER BY t.created_at DESC, t.user_id DESC;

-- name: count_customers
-- How many match in each status. Exact: at 100,000 customers it costs as much as a page of them.
SELECT status, count(*) AS customers FROM tripwire_users
WHERE {{matching}}
GROUP BY status;

-- name: find_customer^
-- One customer. A manager (:only_staff) sees only their own.
SELECT {{of_a_customer}}
FROM tripwire_users t
JOIN staff m ON m.id = t.granted_by
JOIN sales s ON s.request_id = t.request_id
WHERE t.user_id = :user_id AND (:only_staff::uuid IS NULL OR t.granted_by = :only_staff);
