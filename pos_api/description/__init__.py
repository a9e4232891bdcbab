"""How the API describes itself: the OpenAPI document, its examples, and the page at `/api/docs/`."""
