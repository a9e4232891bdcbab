# Stands in for python:…-slim-trixie: Debian with a CPython under /usr/local. pip takes wheels from a folder alone.
FROM rehearsal/trixie
COPY usr-local/ /usr/local/
RUN ldconfig
COPY wheels/ /wheels/
COPY pip.conf /etc/pip.conf
ENV PATH=/usr/local/bin:$PATH LANG=C.UTF-8
CMD ["python3"]
