# The service: one image for web, worker, beat and migrations. Compose says which of them a container is.

# With a digest behind the tag (docs/operations.md, "Images by digest") it can be no other image.
ARG PYTHON_IMAGE=python:3.11.15-slim-trixie
FROM ${PYTHON_IMAGE} AS python
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

FROM python AS dependencies
COPY requirements.txt ./
# Wheels alone: building from source would fetch build tools that nobody has pinned.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
        --require-hashes --only-binary=:all: -r requirements.txt \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM python AS service
# What lays PDFs out (ADR 41), and letters for whatever names tills send.
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-noto-core fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 backoffice \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin backoffice \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/backoffice
COPY --from=dependencies /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH STATIC_ROOT=/srv/backoffice/static HOME=/tmp
# What is large is given back to the system as soon as it is free, and threads do not keep heaps of their own (ADR 32).
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576
WORKDIR /srv/backoffice/app
COPY manage.py ./
COPY deploy/healthcheck.py deploy/
COPY backoffice backoffice
COPY pos_api pos_api
# The service shows the protocol to those who build terminals.
COPY docs/terminal-protocol.md docs/
# Everything here stays root's: the service can read its own code and cannot change it.
RUN python -m compileall -q . && python manage.py collectstatic --no-input --verbosity 0

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
ENV BACKOFFICE_ROLE=web
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=4 CMD ["python", "deploy/healthcheck.py", "web"]
CMD ["python", "-m", "granian", "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
    "--loop", "uvloop", "--runtime-mode", "mt", "--no-ws", "--backpressure", "2048", "--log-level", "warning", "--workers-kill-timeout", "30", "--respawn-failed-workers", \
    "backoffice.rsgi:application"]
