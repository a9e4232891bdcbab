"""How people come in: second factors, how long a session lasts, and what asks again who is there. See docs/signing-in.md."""
