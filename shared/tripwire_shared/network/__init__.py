"""Addresses and names of others, within limits: who asks us, and whom we call. Knows no service of ours."""
