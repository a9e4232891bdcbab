"""Back Office: takes in what tills sold, online or not, and keeps the books of it."""
