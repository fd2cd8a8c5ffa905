# The wheel is built apart, so that the image holds what is installed and nothing else.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE constraints.txt ./
COPY bot bot
COPY content content
COPY scheduler scheduler
COPY storage storage
COPY examples examples
RUN python -m venv /opt/skywave \
 && pip wheel --no-cache-dir --no-deps --wheel-dir /dist . \
 && /opt/skywave/bin/pip install --no-cache-dir --constraint constraints.txt /dist/skywave-*.whl

FROM python:3.12-slim
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
