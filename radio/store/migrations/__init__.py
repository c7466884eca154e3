"""Alembic's folder: ``env.py`` runs one linear chain of revisions from ``versions``."""

from __future__ import annotations
