"""Simulated shops, tills and customers, which talk to a real Back Office through the terminal client alone."""
