"""A batch, from the request that brings it to its sales, its journal entries and its receipt."""
