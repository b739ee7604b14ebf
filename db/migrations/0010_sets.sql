-- Requests are provisioned in sets, and what fails for a passing reason uses up no attempt.
-- depends: 0009_figures

-- argon2, between being hashed and the customer's row: an attempt that comes later need not hash again, and the password
-- itself is gone as soon as it is hashed.
ALTER TABLE provisioning_requests ADD COLUMN password_hash text;
-- Failures in a row that pass by themselves (a server is away, slow or refuses for the moment), and since when.
ALTER TABLE provisioning_requests ADD COLUMN passing_failures integer NOT NULL DEFAULT 0;
ALTER TABLE provisioning_requests ADD COLUMN passing_since timestamptz;
