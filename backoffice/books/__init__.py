"""What head office does with the books. `evidence` seals them."""
