# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE docker-compose.yml ./
COPY producers producers
COPY worker worker
COPY simulator simulator
COPY migrations migrations
COPY campaigns campaigns
RUN python -m venv /app \
    && /app/bin/pip install --no-cache-dir --constraint constraints.txt --build-constraint constraints.txt \
        ./producers ".[worker,report,events]"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ajo
COPY --from=build /app /app
ENV PATH="/app/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    AJO_CAMPAIGNS=/campaigns
USER 10001:10001
WORKDIR /tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["ajo-dispatch"]
CMD ["worker"]
