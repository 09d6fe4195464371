# codat-sync as an image: what requirements.lock names, by hash, and nothing else. docs/installing.md says how to run it.
# To pin the base by digest as well: docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:… .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY reconciler reconciler
COPY schemas schemas
RUN python -m venv /opt/codat-sync
RUN /opt/codat-sync/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
RUN /opt/codat-sync/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
COPY --from=build /opt/codat-sync /opt/codat-sync
ENV PATH=/opt/codat-sync/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /work
USER 10001:10001
ENTRYPOINT ["codat-sync"]
CMD ["--help"]
