-- Domains are kept in their ASCII form (xn--…), as browsers and identity providers have them; they were kept readable.
-- depends: 0013_write_probe

-- What punycode writes (RFC 3492, without the xn--), in its own script; null where it is none.
CREATE FUNCTION punycode_decoded(written text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    decoded text := coalesce(substring(written FROM '^(.*)-'), '');
    rest text := regexp_replace(written, '^.*-', '');
    point bigint := 128;
    place bigint := 0;
    bias bigint := 72;
    damp integer := 700;
    before bigint;
    weight bigint;
    digit integer;
    threshold bigint;
    delta bigint;
BEGIN
    WHILE rest <> '' LOOP
        before := place;
        weight := 1;
        FOR k IN 1..10 LOOP
            digit := strpos('abcdefghijklmnopqrstuvwxyz0123456789', left(rest, 1)) - 1;
            IF rest = '' OR digit < 0 OR weight > 100000000 THEN
                RETURN NULL;
            END IF;
            rest := substr(rest, 2);
            place := place + digit * weight;
            threshold := least(greatest(36 * k - bias, 1), 26);
            EXIT WHEN digit < threshold;
            weight := weight * (36 - threshold);
        END LOOP;
        delta := (place - before) / damp;
        damp := 2;
        delta := delta + delta / (length(decoded) + 1);
        bias := 0;
        WHILE delta > 455 LOOP
            delta := delta / 35;
            bias := bias + 36;
        END LOOP;
        bias := bias + 36 * delta / (delta + 38);
        point := point + place / (length(decoded) + 1);
        place := place % (length(decoded) + 1);
        IF point > 1114111 OR point BETWEEN 55296 AND 57343 THEN
            RETURN NULL;
        END IF;
        decoded := left(decoded, place::integer) || chr(point::integer) || substr(decoded, place::integer + 1);
        place := place + 1;
    END LOOP;
    RETURN decoded;
END
$$;

-- An address as people read it, and as others may have kept it: for comparing with theirs.
CREATE FUNCTION readable_email(email text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(email, 'xn--') = 0 THEN email ELSE
        regexp_replace(email, '[^@]*$', '') || (
            SELECT string_agg(CASE WHEN label LIKE 'xn--%' THEN coalesce(punycode_decoded(substr(label, 5)), label)
                                   ELSE label END, '.' ORDER BY n)
            FROM regexp_split_to_table(regexp_replace(email, '^.*@', ''), '\.') WITH ORDINALITY AS labels (label, n))
    END
$$;

-- And back, this once: from now on addresses come here in their ASCII form. What is stored is normalised already.
CREATE FUNCTION pg_temp.punycode_encoded(readable text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    points integer[] := ARRAY(SELECT ascii(c) FROM regexp_split_to_table(readable, '') WITH ORDINALITY s(c, n) ORDER BY n);
    written text := regexp_replace(readable, '[^\x01-\x7f]', '', 'g');
    handled integer := length(written);
    point bigint := 128;
    next_point bigint;
    delta bigint := 0;
    bias bigint := 72;
    damp integer := 700;
    rest bigint;
    threshold bigint;
    k integer;
    here integer;
BEGIN
    written := written || CASE WHEN written = '' THEN '' ELSE '-' END;
    WHILE handled < cardinality(points) LOOP
        next_point := (SELECT min(p) FROM unnest(points) p WHERE p >= point);
        delta := delta + (next_point - point) * (handled + 1);
        point := next_point;
        FOREACH here IN ARRAY points LOOP
            IF here < point THEN
                delta := delta + 1;
            ELSIF here = point THEN
                rest := delta;
                k := 1;
                LOOP
                    threshold := least(greatest(36 * k - bias, 1), 26);
                    EXIT WHEN rest < threshold;
                    written := written || substr('abcdefghijklmnopqrstuvwxyz0123456789',
                                                 (threshold + (rest - threshold) % (36 - threshold))::integer + 1, 1);
                    rest := (rest - threshold) / (36 - threshold);
                    k := k + 1;
                END LOOP;
                written := written || substr('abcdefghijklmnopqrstuvwxyz0123456789', rest::integer + 1, 1);
                delta := delta / damp;
                damp := 2;
                delta := delta + delta / (handled + 1);
                bias := 0;
                WHILE delta > 455 LOOP
                    delta := delta / 35;
                    bias := bias + 36;
                END LOOP;
                bias := bias + 36 * delta / (delta + 38);
                delta := 0;
                handled := handled + 1;
            END IF;
        END LOOP;
        delta := delta + 1;
        point := point + 1;
    END LOOP;
    RETURN 'xn--' || written;
END
$$;

CREATE FUNCTION pg_temp.ascii_email(email text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(email, '[^@]*$', '') || string_agg(
        CASE WHEN octet_length(label) = length(label) THEN label ELSE pg_temp.punycode_encoded(label) END, '.' ORDER BY n)
    FROM regexp_split_to_table(regexp_replace(email, '^.*@', ''), '\.') WITH ORDINALITY AS labels (label, n)
$$;

-- Where both forms of one address are there already, the readable one stays as it is and is told of.
CREATE TEMPORARY TABLE converted ON COMMIT DROP AS
SELECT email, pg_temp.ascii_email(email) AS ascii FROM (
    SELECT email FROM staff UNION SELECT email FROM provisioning_requests UNION SELECT email FROM tripwire_users
    UNION SELECT email::text FROM auth.users WHERE is_sso_user = false AND raw_app_meta_data ? 'tripwire_request_id'
) kept WHERE octet_length(email) > length(email);

UPDATE staff s SET email = c.ascii FROM converted c
WHERE s.email = c.email AND NOT EXISTS (SELECT 1 FROM staff o WHERE o.email = c.ascii);

UPDATE provisioning_requests r SET email = c.ascii FROM converted c
WHERE r.email = c.email AND (r.status NOT IN ('accepted', 'provisioned') OR NOT EXISTS (
    SELECT 1 FROM provisioning_requests o WHERE o.email = c.ascii AND o.status IN ('accepted', 'provisioned')));

-- Auth users are converted where a request of ours made them: with this form the customer can sign in. On Supabase the
-- table is another's, and may not be ours to write.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM converted) THEN
        UPDATE auth.users u SET email = c.ascii, updated_at = now() FROM converted c
        WHERE u.email = c.email AND u.is_sso_user = false AND u.raw_app_meta_data ? 'tripwire_request_id'
          AND NOT EXISTS (SELECT 1 FROM auth.users o WHERE o.email = c.ascii AND o.is_sso_user = false);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'auth.users may not be written: addresses in it stay readable';
END
$$;

UPDATE tripwire_users t SET email = c.ascii FROM converted c
WHERE t.email = c.email AND NOT EXISTS (SELECT 1 FROM tripwire_users o WHERE o.email = c.ascii);

INSERT INTO system_health_logs (event_type, message, metadata)
SELECT 'WARNING', 'One mailbox has two auth users, one for each form of its domain: remove one',
       jsonb_build_object('user_id', u.id, 'other_user_id', o.id)
FROM converted c
JOIN auth.users u ON u.email = c.email AND u.is_sso_user = false
JOIN auth.users o ON o.email = c.ascii AND o.is_sso_user = false;
