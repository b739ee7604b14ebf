-- name: write_activity!
-- Who did what, from where; customers by id only.
INSERT INTO sales_activity_log (staff_id, action, user_id, request_id, detail, address)
VALUES (:staff_id, :action, :user_id, :request_id, :detail, :address);

-- name: write_for_requests!
-- The same for each of many requests.
INSERT INTO sales_activity_log (staff_id, action, request_id, address)
SELECT :staff_id, :action, request_id, :address FROM unnest(:request_ids::uuid[]) AS request_id;
