"""Back Office: takes in what tills sold, online or offline, and keeps the books."""
