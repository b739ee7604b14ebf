"""Who a visitor is and what they may do: sign-in, session cookie, CSRF, guards, and forms that came too late."""
