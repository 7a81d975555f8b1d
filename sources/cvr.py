"""CVR, Denmark's central business register (Erhvervsstyrelsen, through Datafordeler).

Its files are read by `sources.cvr_parse`.
"""

from __future__ import annotations

HOME, AUTHORITY = "DK", "RA000170"
"""The register's country, and GLEIF's code for it."""
