"""Shops, tills and customers that do not exist, speaking to a Back Office that does, through the terminal client alone."""
