"""Customers as staff see and change them: lists, corrections, erasure. Above `provisioning`, which makes them."""
