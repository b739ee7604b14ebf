-- name: activity
-- Who did what, newest first.
SELECT a.id, a.created_at AS at, a.action, a.user_id, a.request_id, a.detail, a.address,
       s.id AS staff_id, s.email, s.full_name
FROM sales_activity_log a LEFT JOIN staff s ON s.id = a.staff_id
WHERE (:only_staff::uuid IS NULL OR a.staff_id = :only_staff)
  AND (:staff_id::uuid IS NULL OR a.staff_id = :staff_id)
  AND (:action::text IS NULL OR a.action = :action)
  AND (:request_id::uuid IS NULL OR a.request_id = :request_id)
  AND (:before::bigint IS NULL OR a.id < :before)
ORDER BY a.id DESC LIMIT :limit;
