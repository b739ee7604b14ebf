-- When a token was last used (to the minute), and who made it. Not indexed, so that noting a use touches no index.
-- depends: 0007_customers

ALTER TABLE staff_tokens ADD COLUMN last_used_at timestamptz, ADD COLUMN created_by uuid REFERENCES staff;
