"""WHERE FROM: publishers and the network; one file a publisher, found by its folder."""
