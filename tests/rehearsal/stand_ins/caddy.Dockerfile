# Stands in for caddy:…-alpine: folders, the capability of the program file, and the command as that image has them.
FROM rehearsal/trixie
RUN mkdir --parents /etc/caddy /usr/share/caddy && install --directory --mode 1777 /config/caddy /data/caddy
COPY caddy /usr/bin/
RUN setcap cap_net_bind_service=+ep /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
EXPOSE 80 443 443/udp 2019
WORKDIR /srv
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
