"""Holidays, blackouts and tariffs from files: plain text, ICS and CSV become plain values."""
