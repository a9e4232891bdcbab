"""PostgreSQL as Django does not speak it: COPY, pipelines, arrays as parameters."""
