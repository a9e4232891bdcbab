# Stands in for valkey/valkey: user and folder as that image has them. valkey-cli is Debian's, as is the user at first.
FROM rehearsal/trixie
RUN groupmod --gid 999 valkey \
    && usermod --uid 999 --gid 999 valkey \
    && rm --recursive --force /etc/valkey \
    && install --directory --owner valkey --group valkey --mode 1777 /data
COPY valkey-server /usr/local/bin/
WORKDIR /data
EXPOSE 6379
CMD ["valkey-server"]
