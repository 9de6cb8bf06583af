"""Probabilities of one call, from frames to frames: no database here."""
