-- Signing in, and its throttle.

-- name: find_credentials^
-- The hash to verify a password against.
SELECT id, email, full_name, role, active, password_hash FROM staff WHERE email = ANY (:emails);

-- name: lock_address$
-- Tries from one address count one after the other, so that many at once cannot slip through together.
SELECT pg_advisory_xact_lock(hashtext('tripwire login ' || :address));

-- name: may_log_in$
-- Whether `begin_login` would count another try; looks only.
SELECT count(*) FILTER (WHERE email = :email) < :account_limit AND count(*) < :address_limit
FROM login_failures WHERE address = :address AND at > clock_timestamp() - make_interval(secs => :window);

-- name: begin_login$
-- Counts this try before anything costly runs; no row where the account (from this address) or the address has too
-- many failures. A try is a failure until it is taken back.
INSERT INTO login_failures (email, address, at)
SELECT :email, :address, clock_timestamp()
FROM (SELECT count(*) FILTER (WHERE email = :email) AS of_account, count(*) AS of_address
      FROM login_failures WHERE address = :address AND at > clock_timestamp() - make_interval(secs => :window)) recent
WHERE of_account < :account_limit AND of_address < :address_limit
RETURNING id;

-- name: forgive_login!
-- The sign-in succeeded: it was no failure.
DELETE FROM login_failures WHERE id = :id;
