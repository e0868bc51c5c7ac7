"""Tests of the phone page in a real browser; skipped, visibly, where there is no chromium."""
