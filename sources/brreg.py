"""Enhetsregisteret, Norway's register of legal entities (Brønnøysundregistrene, NLOD 2.0).

Its files are read by `sources.brreg_parse`.
"""

from __future__ import annotations

HOME = "NO"
FORETAKSREGISTERET, ENHETSREGISTERET = "RA000472", "RA000473"
"""GLEIF's codes for the two registers that share Norway's numbers."""
