"""What a regulator would read: suppression, retention, deletion and their proof."""
