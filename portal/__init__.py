"""The portal: the page behind a letter's signed link, where its reader says stop."""
