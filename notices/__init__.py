"""What we say: notices, languages, address layout, list rows and tokens, as pure functions."""
