"""What the service needs to keep its promises, checked in one place for `/readyz`, startup, `doctor` and `/metrics`."""
