"""Starts the mock upstream and the platform for a test, fills the platform, and stops both by pid."""
