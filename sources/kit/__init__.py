"""What every source shares: card, session, landing, archive, columns, errors."""
