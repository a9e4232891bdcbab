"""What must be so for the service to keep its promises, asked in one place: by `/readyz`, at startup, by `doctor`, for `/metrics`."""
