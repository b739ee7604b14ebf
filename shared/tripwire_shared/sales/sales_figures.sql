-- Figures of what was sold. Days, weeks (from Monday) and months are those of the zone :tz, whatever the session's time
-- zone is. Amounts of two currencies are never added up.

-- name: customer_figures^
-- How many customers, by status, and how many of them are new.
SELECT count(*) AS total_customers,
       count(*) FILTER (WHERE status = 'active') AS active,
       count(*) FILTER (WHERE status = 'inactive') AS inactive,
       count(*) FILTER (WHERE status = 'completed') AS completed,
       count(*) FILTER (WHERE status = 'blocked') AS blocked,
       count(*) FILTER (WHERE created_at >= date_trunc('week', now(), :tz)) AS this_week,
       count(*) FILTER (WHERE created_at >= date_trunc('month', now(), :tz)) AS this_month
FROM tripwire_users WHERE :only_staff::uuid IS NULL OR granted_by = :only_staff;

-- name: revenues
-- What was charged in each currency, the one with most customers first.
SELECT currency, count(*) AS customers, sum(amount)::bigint AS total,
       coalesce(sum(amount) FILTER (WHERE created_at >= date_trunc('month', now(), :tz)), 0)::bigint AS this_month
FROM sales WHERE :only_staff::uuid IS NULL OR manager_id = :only_staff
GROUP BY currency ORDER BY customers DESC, currency;

-- name: leaderboard
-- Who sold most: by revenue while all is sold in one currency, by customers where it is not, since then no revenue can be
-- compared. Everybody who sold something, and every active manager who did not yet; equals share a place.
WITH by_currency AS (
    SELECT manager_id, currency, count(*) AS customers, sum(amount)::bigint AS total,
           coalesce(sum(amount) FILTER (WHERE created_at >= date_trunc('month', now(), :tz)), 0)::bigint AS this_month,
           count(*) FILTER (WHERE created_at >= date_trunc('month', now(), :tz)) AS new_customers
    FROM sales GROUP BY manager_id, currency
), sold AS (
    SELECT manager_id, sum(customers)::bigint AS customers, sum(new_customers)::bigint AS this_month,
           jsonb_agg(jsonb_build_object('currency', currency, 'customers', customers, 'total', total,
                                        'this_month', this_month) ORDER BY customers DESC, currency) AS revenues
    FROM by_currency GROUP BY manager_id
), comparable AS (
    SELECT count(DISTINCT currency) < 2 AS revenue FROM by_currency
)
SELECT rank() OVER (ORDER BY CASE WHEN comparable.revenue THEN coalesce((revenues -> 0 ->> 'total')::bigint, 0) END DESC,
                             coalesce(customers, 0) DESC) AS place,
       m.id AS manager_id, m.email, m.full_name, coalesce(customers, 0) AS customers, coalesce(this_month, 0) AS this_month,
       coalesce(revenues, '[]') AS revenues, coalesce((revenues -> 0 ->> 'total')::bigint, 0) AS revenue,
       revenues -> 0 ->> 'currency' AS currency
FROM staff m CROSS JOIN comparable LEFT JOIN sold ON sold.manager_id = m.id
WHERE sold.manager_id IS NOT NULL OR (m.role = 'sales' AND m.active)
ORDER BY place, m.email;

-- name: sales_by_day
-- Each of the last :days days, today included, by currency; a day without a sale has a row without one.
SELECT day::date AS date, s.currency, count(s.id) AS customers, coalesce(sum(s.amount), 0)::bigint AS revenue
FROM generate_series(date_trunc('day', now() AT TIME ZONE :tz) - make_interval(days => :days - 1),
                     now() AT TIME ZONE :tz, interval '1 day') AS day
LEFT JOIN sales s ON s.created_at >= day AT TIME ZONE :tz
    AND s.created_at < (day + interval '1 day') AT TIME ZONE :tz
    AND (:only_staff::uuid IS NULL OR s.manager_id = :only_staff)
GROUP BY day, s.currency ORDER BY day, s.currency;
