"""What proves the books: how a record becomes a leaf, how leaves become a tree, and how its head is signed."""
