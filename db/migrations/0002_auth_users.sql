-- auth.users, only where it is absent: on Supabase it is there, belongs to somebody else and is never altered.
-- The columns are a subset of Supabase's, so that one INSERT serves both.
-- depends: 0001_staff

DO $$
BEGIN
    IF to_regclass('auth.users') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS auth;
        CREATE TABLE auth.users (
            instance_id            uuid,
            id                     uuid PRIMARY KEY,
            aud                    varchar(255),
            role                   varchar(255),
            email                  varchar(255),
            encrypted_password     varchar(255),
            email_confirmed_at     timestamptz,
            confirmation_token     varchar(255),
            recovery_token         varchar(255),
            email_change_token_new varchar(255),
            email_change           varchar(255),
            raw_app_meta_data      jsonb,
            raw_user_meta_data     jsonb,
            created_at             timestamptz,
            updated_at             timestamptz,
            is_sso_user            boolean NOT NULL DEFAULT false,
            deleted_at             timestamptz
        );
        CREATE UNIQUE INDEX users_email_partial_key ON auth.users (email) WHERE is_sso_user = false;
    END IF;
END
$$;
