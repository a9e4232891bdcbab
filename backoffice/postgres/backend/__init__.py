"""Django's database backend for the web role: a pool that notices at once when PostgreSQL has gone."""
