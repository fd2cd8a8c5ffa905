# The image that all is built on. A tag may be another image tomorrow, a digest never:
#   docker build --build-arg BASE=python:3.12-slim@sha256:… .
# with the digest that `docker buildx imagetools inspect python:3.12-slim` prints.
ARG BASE=python:3.12-slim

# The wheel is built apart, so that the image holds what is installed and nothing else. Whatever is downloaded, the
# build's own tools included, has to have a hash that is listed here (`make hashes`).
FROM ${BASE} AS build
WORKDIR /src
COPY requirements-build.txt requirements-container.txt ./
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements-build.txt \
 && python -m venv /opt/skywave \
 && /opt/skywave/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements-container.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY bot bot
COPY content content
COPY scheduler scheduler
COPY storage storage
COPY examples examples
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /dist . \
 && /opt/skywave/bin/pip install --no-cache-dir --no-deps --no-index /dist/skywave-*.whl

FROM ${BASE}
COPY --from=build /opt/skywave /opt/skywave
RUN useradd --system --uid 10001 --home-dir /data skywave \
 && install -d -o skywave -g skywave /data
ENV PATH=/opt/skywave/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SKYWAVE_DATABASE_URL=sqlite:////data/skywave.db \
    SKYWAVE_METRICS_PORT=9465
USER skywave
WORKDIR /data
VOLUME /data
# The event loop of the running process answers. It listens on the container's loopback only.
HEALTHCHECK --interval=1m --timeout=20s --start-period=30s CMD ["skywave", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["skywave"]
CMD ["run"]
