-- Figures of what was sold. Days, weeks (from Monday) and months are those of UTC, whatever
-- the session's time zone is.

-- name: customer_figures^
-- How many customers, by status, and how many of them are new.
SELECT count(*) AS total_customers,
       count(*) FILTER (WHERE status = 'active') AS active,
       count(*) FILTER (WHERE status = 'inactive') AS inactive,
       count(*) FILTER (WHERE status = 'completed') AS completed,
       count(*) FILTER (WHERE status = 'blocked') AS blocked,
       count(*) FILTER (WHERE created_at >= date_trunc('week', now(), 'UTC')) AS this_week,
       count(*) FILTER (WHERE created_at >= date_trunc('month', now(), 'UTC')) AS this_month
FROM tripwire_users WHERE :only_staff::uuid IS NULL OR granted_by = :only_staff;

-- name: revenue_figures^
-- What was charged. The currency is null where there are several (the sum then says little) or no sale at all.
SELECT coalesce(sum(amount), 0)::bigint AS total_revenue,
       coalesce(sum(amount) FILTER (WHERE created_at >= date_trunc('month', now(), 'UTC')), 0)::bigint AS revenue_this_month,
       CASE WHEN min(currency) = max(currency) THEN min(currency) END AS currency
FROM sales WHERE :only_staff::uuid IS NULL OR manager_id = :only_staff;

-- name: leaderboard
-- Who sold most. Everybody who sold something, and every active manager who did not yet; equals share a place.
WITH sold AS (
    SELECT manager_id, count(*) AS customers, sum(amount)::bigint AS revenue,
           count(*) FILTER (WHERE created_at >= date_trunc('month', now(), 'UTC')) AS this_month,
           CASE WHEN min(currency) = max(currency) THEN min(currency) END AS currency
    FROM sales GROUP BY manager_id
)
SELECT rank() OVER (ORDER BY coalesce(revenue, 0) DESC, coalesce(customers, 0) DESC) AS place,
       m.id AS manager_id, m.email, m.full_name, coalesce(customers, 0) AS customers, coalesce(revenue, 0) AS revenue,
       coalesce(this_month, 0) AS this_month, currency
FROM staff m LEFT JOIN sold ON sold.manager_id = m.id
WHERE sold.manager_id IS NOT NULL OR (m.role = 'sales' AND m.active)
ORDER BY place, m.email;

-- name: sales_by_day
-- Each of the last :days days, today included, also those without a sale.
SELECT day::date AS date, count(s.id) AS customers, coalesce(sum(s.amount), 0)::bigint AS revenue
FROM generate_series(date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => :days - 1),
                     now() AT TIME ZONE 'UTC', interval '1 day') AS day
LEFT JOIN sales s ON s.created_at >= day AT TIME ZONE 'UTC'
    AND s.created_at < (day + interval '1 day') AT TIME ZONE 'UTC'
    AND (:only_staff::uuid IS NULL OR s.manager_id = :only_staff)
GROUP BY day ORDER BY day;
